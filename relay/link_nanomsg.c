/*
 * The link over nanomsg: raw REQ in the guest, raw REP at the bridge.
 *
 * Raw sockets (AF_SP_RAW) have no state machine, so nothing is ever sent twice, many frames can be
 * on their way in both directions, and the bridge may send without having been asked. What a full
 * REQ socket does when a connection breaks, to send the request again, would execute an APDU twice.
 *
 * It refuses every address but ipc:///path and tcp://number:port. ws:// and inproc:// are not ours,
 * and a host name is resolved by nanomsg at each reconnection, which aborts the process where the
 * resolver can't be reached. It also checks what nanomsg answers with an abort (an ipc path of 108
 * to 127 bytes) or with the loss of a file (an ipc path where a regular file is: bind would unlink
 * it). The one relative path that it takes is the bridge's ./name, in the working folder: a process
 * that may enter one folder only has no other way to listen there.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "relay/link.h"

#include <nanomsg/nn.h>
#include <nanomsg/reqrep.h>
#include <nanomsg/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/cursor.h"
#include "base/error.h"
#include "relay/endpoint.h"
#include "relay/wire.h"

/* The header of an unanswered request: one 32-bit identity with the bit that says "last". */
#define REQUEST_HEADER_SIZE 4
#define REQUEST_LAST 0x80u

/* At least a pipe key and the identity. */
#define ROUTE_MIN 8

/* nn_cmsg(3): an item header, a size_t, and the SP header itself. */
#define CONTROL_SIZE NN_CMSG_SPACE(sizeof(size_t) + LINK_ROUTE_MAX)

#define RECONNECT_INTERVAL 250 /* ms; no NN_RECONNECT_IVL_MAX, whose back-off is never reset */

static_assert(sizeof(((struct sockaddr_un *)0)->sun_path) == 108,
	"nanomsg copies an ipc path into a sockaddr_un after an assertion on its size");

struct link_nanomsg {
	struct link link;
	enum link_side side;
	int socket;
	int fd;
};

/* An ancillary data buffer, aligned for its first item. */
union control {
	struct nn_cmsghdr item;
	uint8_t bytes[CONTROL_SIZE];
};

static struct link_nanomsg *of(struct link *link)
{
	return (struct link_nanomsg *)link;
}

/* ---- addresses ---- */

/* NULL, or what is wrong with the path of an ipc:// endpoint. */
static const char *check_ipc(const char *path, enum link_side side)
{
	struct stat status;

	if (path[0] != '/' && (side == LINK_GUEST || strncmp(path, "./", 2) != 0))
		return "an ipc:// address needs an absolute path";
	if (strlen(path) >= sizeof(((struct sockaddr_un *)0)->sun_path))
		return "the path is longer than 107 bytes";
	if (side == LINK_BRIDGE && lstat(path, &status) == 0 && !S_ISSOCK(status.st_mode))
		return "there is something at this path that is not a socket";
	return NULL;
}

static const char *check_endpoint(const char *endpoint, enum link_side side)
{
	if (strlen(endpoint) >= NN_SOCKADDR_MAX)
		return "the address is too long";
	if (strncmp(endpoint, "ipc://", 6) == 0)
		return check_ipc(endpoint + 6, side);
	if (strncmp(endpoint, "tcp://", 6) == 0)
		return endpoint_check_tcp(endpoint + 6);
	return "only ipc:// and tcp:// addresses can be used";
}

/* ---- opening and closing ---- */

static int set_option(int socket, int level, int option, int value)
{
	return nn_setsockopt(socket, level, option, &value, sizeof(value)) < 0 ?
		error_from_errno() : 0;
}

/* Before the first endpoint: what is set later doesn't reach it. */
static int set_options(int socket)
{
	static const struct {
		int level;
		int option;
		int value;
	} options[] = {
		/* Without it, small frames in a row wait 40 ms for each other's acknowledgement. */
		{ NN_TCP, NN_TCP_NODELAY, 1 },
		/* Counts the SP header too; a peer that sends more loses its connection. */
		{ NN_SOL_SOCKET, NN_RCVMAXSIZE, WIRE_FRAME_MAX + LINK_ROUTE_MAX },
		{ NN_SOL_SOCKET, NN_RECONNECT_IVL, RECONNECT_INTERVAL },
	};

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		int result = set_option(socket, options[i].level, options[i].option,
			options[i].value);

		if (result < 0)
			return result;
	}
	return 0;
}

/*
 * Each endpoint keeps the socket's options of the moment at which it was made. Without NN_IPV4ONLY
 * an IPv4 connection is bound to the IPv6 wildcard first, which fails, and the next attempt aborts
 * the process (usock_posix.inc:195, seen with 1.1.5): so only an IPv6 address may go without it.
 */
static int set_family(int socket, const char *endpoint)
{
	bool six = strncmp(endpoint, "tcp://[", 7) == 0;

	return set_option(socket, NN_SOL_SOCKET, NN_IPV4ONLY, six ? 0 : 1);
}

/* nanomsg gives its unix socket the mode 0777 less the umask, and has no option for it (#412). */
static int bind_private(int socket, const char *endpoint)
{
	mode_t before = umask(0177);
	int result = nn_bind(socket, endpoint);

	(void)umask(before);
	return result;
}

int link_nanomsg_attach(struct link *link, const char *endpoint, const char **reason)
{
	int socket = of(link)->socket;
	int result;

	*reason = check_endpoint(endpoint, of(link)->side);
	if (*reason != NULL)
		return LINK_BAD_ADDRESS;
	result = set_family(socket, endpoint);
	if (result < 0)
		return result;
	if (of(link)->side == LINK_BRIDGE)
		result = bind_private(socket, endpoint);
	else
		result = nn_connect(socket, endpoint);
	if (result < 0)
		*reason = nn_strerror(nn_errno());
	return result < 0 ? LINK_BAD_ADDRESS : 0;
}

static void link_nanomsg_close(struct link *link)
{
	/* nn_close() may be interrupted by a signal, and has then not closed. */
	while (nn_close(of(link)->socket) < 0 && nn_errno() == EINTR)
		continue;
	free(link);
}

/* ---- sending ---- */

/* The SP header that a frame is sent with: the guest's own, or that of the frame it answers. */
static size_t put_header(union control *control, const void *header, size_t size)
{
	struct cursor_out out = cursor_out(control->bytes, sizeof(control->bytes));
	const struct nn_cmsghdr item = {
		.cmsg_len = NN_CMSG_SPACE(sizeof(size) + size),
		.cmsg_level = PROTO_SP,
		.cmsg_type = SP_HDR,
	};

	memset(control, 0, sizeof(*control));
	out_bytes(&out, &item, sizeof(item));
	out_bytes(&out, &size, sizeof(size));
	out_bytes(&out, header, size);
	return item.cmsg_len;
}

static int link_nanomsg_send(struct link *link, const struct link_route *to,
	struct payload_view frame)
{
	static const uint8_t request[REQUEST_HEADER_SIZE] = { REQUEST_LAST, 0, 0, 1 };
	struct nn_iovec body = { .iov_len = frame.size };
	struct nn_msghdr message = { .msg_iov = &body, .msg_iovlen = 1 };
	union control control;

	/* nanomsg only reads from it, but its type can't say so. */
	memcpy(&body.iov_base, &frame.bytes, sizeof(body.iov_base));
	if (of(link)->side == LINK_GUEST)
		message.msg_controllen = put_header(&control, request, sizeof(request));
	else if (to->size >= ROUTE_MIN && to->size <= LINK_ROUTE_MAX)
		message.msg_controllen = put_header(&control, to->bytes, to->size);
	else
		return LINK_DROPPED;
	message.msg_control = &control;
	if (nn_sendmsg(of(link)->socket, &message, NN_DONTWAIT) < 0)
		return LINK_DROPPED;
	return 0;
}

/* ---- receiving ---- */

/* The route of a frame from its SP header. A frame whose header doesn't fit can't be answered. */
static void take_route(const union control *control, struct link_route *route)
{
	struct cursor_in in = cursor_in(control->bytes, sizeof(control->bytes));
	struct nn_cmsghdr item;
	size_t size;

	route->size = 0;
	in_copy(&in, &item, sizeof(item));
	in_copy(&in, &size, sizeof(size));
	if (item.cmsg_level != PROTO_SP || item.cmsg_type != SP_HDR)
		return;
	if (size > sizeof(route->bytes))
		return;
	in_copy(&in, route->bytes, size);
	route->size = in_ok(&in) ? size : 0;
}

/* Moves a message of nanomsg's into frame, and wipes and frees it. */
static int take_body(void *body, size_t size, struct payload *frame)
{
	int result = payload_set(frame, (struct payload_view){ .bytes = body, .size = size });

	payload_wipe(body, size);
	nn_freemsg(body);
	return result;
}

static int link_nanomsg_receive(struct link *link, struct link_route *from, struct payload *frame)
{
	/* Zeroed: nanomsg leaves it alone when the header doesn't fit. */
	union control control;
	struct link_route ignored;
	void *body;
	int size;

	for (;;) {
		struct nn_iovec vector = { .iov_base = &body, .iov_len = NN_MSG };
		struct nn_msghdr message = {
			.msg_iov = &vector,
			.msg_iovlen = 1,
			.msg_control = &control,
			.msg_controllen = sizeof(control),
		};

		memset(&control, 0, sizeof(control));
		size = nn_recvmsg(of(link)->socket, &message, NN_DONTWAIT);
		if (size < 0 && nn_errno() == EINTR)
			continue;
		/* The descriptor also becomes readable for messages that nanomsg then throws away. */
		if (size < 0)
			return nn_errno() == EAGAIN ? LINK_NOTHING : -nn_errno();
		take_route(&control, from != NULL ? from : &ignored);
		if (take_body(body, (size_t)size, frame) == 0)
			return 0;
	}
}

static int link_nanomsg_fd(const struct link *link)
{
	return ((const struct link_nanomsg *)link)->fd;
}

static const struct link_functions link_nanomsg_functions = {
	.send = link_nanomsg_send,
	.receive = link_nanomsg_receive,
	.fd = link_nanomsg_fd,
	.close = link_nanomsg_close,
};

static int open_socket(struct link_nanomsg *link)
{
	size_t size = sizeof(link->fd);
	int result;

	link->socket = nn_socket(AF_SP_RAW, link->side == LINK_GUEST ? NN_REQ : NN_REP);
	if (link->socket < 0)
		return error_from_errno();
	result = set_options(link->socket);
	if (result < 0)
		return result;
	return nn_getsockopt(link->socket, NN_SOL_SOCKET, NN_RCVFD, &link->fd, &size) < 0 ?
		error_from_errno() : 0;
}

int link_open_nanomsg(struct link **linkp, enum link_side side, const char *const *endpoints,
	size_t count, char *problem, size_t problem_size)
{
	struct link_nanomsg *link;
	const char *reason = NULL;
	int result = -ENOMEM;

	*linkp = NULL;
	link = calloc(1, sizeof(*link));
	if (link == NULL)
		return result;
	link->link.functions = &link_nanomsg_functions;
	link->side = side;
	result = open_socket(link);
	for (size_t i = 0; result == 0 && i < count; i++) {
		result = link_nanomsg_attach(&link->link, endpoints[i], &reason);
		if (result > 0)
			(void)snprintf(problem, problem_size, "%s: %s", endpoints[i], reason);
	}
	if (result == 0)
		*linkp = &link->link;
	else if (link->socket >= 0)
		link_nanomsg_close(&link->link);
	else
		free(link);
	return result;
}
