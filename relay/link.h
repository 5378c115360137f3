/*
 * The link: five functions that carry frames, and promise nothing. A frame arrives whole or not at
 * all; it may arrive twice, late, or after a later one; nobody is told when the peer is gone. What
 * must be reliable is the session's work.
 *
 * nanomsg over ipc:// and tcp:// is one implementation (link_nanomsg.c); a lossy one in memory for
 * tests is another.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/payload.h"

/* Where a frame came from, for the answer. Opaque; only the bridge's side needs it. */
#define LINK_ROUTE_MAX 40 /* bytes: nanomsg's pipe key and NN_MAXTTL = 8 words of 4 bytes */

struct link_route {
	uint8_t bytes[LINK_ROUTE_MAX];
	size_t size;
};

enum {
	LINK_NOTHING = 1,     /* receive: no frame is waiting */
	LINK_DROPPED = 2,     /* send: the frame could not be handed over; the session will repeat it */
	LINK_BAD_ADDRESS = 3, /* open, attach: the endpoint can't be used */
};

/*
 * The connection over which a frame came, as a number: frames with different ones came over different
 * connections. Nothing that can be trusted further than that.
 */
uint32_t link_route_connection(const struct link_route *route);

struct link;

struct link_functions {
	int (*send)(struct link *link, const struct link_route *to, struct payload_view frame);
	int (*receive)(struct link *link, struct link_route *from, struct payload *frame);
	int (*fd)(const struct link *link);
	void (*close)(struct link *link);
};

/* What every implementation's own struct begins with. */
struct link {
	const struct link_functions *functions;
};

/* Which end of the link this is. */
enum link_side {
	LINK_GUEST,  /* connects to one endpoint, raw REQ */
	LINK_BRIDGE, /* listens on one or more endpoints, raw REP */
};

/*
 * Opens a nanomsg link. endpoints are "ipc:///path", the path absolute and of at most 107 bytes, or
 * "tcp://address:port", the address a number, of IPv6 in brackets. The bridge's unix sockets get
 * the mode 0600, and replace one that nobody listens at; the umask of the process changes for that
 * moment. The guest's side returns before it is connected, and drops frames until it is.
 *
 * Returns 0 or LINK_BAD_ADDRESS, then problem (problem_size bytes, always terminated) says in words
 * which endpoint and why. Fatal: -ENOMEM, and -errno of nn_socket() and nn_setsockopt().
 *
 * nanomsg has a thread of its own: don't fork after this without exec.
 */
int link_open_nanomsg(struct link **link, enum link_side side, const char *const *endpoints,
	size_t count, char *problem, size_t problem_size);

/*
 * Adds one more endpoint to a nanomsg link, which may have been opened with none. The bridge's side
 * also takes "ipc://./name", in the working folder of this moment. Returns 0 or LINK_BAD_ADDRESS,
 * then *reason is the text that says why. Fatal: -errno of nn_setsockopt().
 */
int link_nanomsg_attach(struct link *link, const char *endpoint, const char **reason);

/*
 * Hands frame over to the link. to: the route of a frame received by the bridge; NULL on the
 * guest's side. Returns 0 or LINK_DROPPED.
 */
int link_send(struct link *link, const struct link_route *to, struct payload_view frame);

/*
 * Takes the next frame. from may be NULL on the guest's side. frame is replaced; its capacity must
 * be WIRE_FRAME_MAX, and a frame that exceeds it is thrown away. Returns 0 or LINK_NOTHING. Fatal:
 * -errno.
 */
int link_receive(struct link *link, struct link_route *from, struct payload *frame);

/*
 * A descriptor that is readable when link_receive() may have a frame. Poll it for reading only, and
 * never read it: receive until LINK_NOTHING instead.
 */
int link_fd(const struct link *link);

/*
 * Closes and frees; returns NULL. May be called with NULL. What was sent last may be lost with it.
 * The descriptor of link_fd() must be out of the event loop before.
 */
struct link *link_close(struct link *link);
