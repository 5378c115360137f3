/*
 * The link's functions, each handed to the implementation that was opened. See link.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "relay/link.h"

#include "base/cursor.h"

/* What nanomsg has put in front: see LINK_ROUTE_MAX. */
uint32_t link_route_connection(const struct link_route *route)
{
	struct cursor_in in = cursor_in(route->bytes, route->size);

	return in_le32(&in);
}

int link_send(struct link *link, const struct link_route *to, struct payload_view frame)
{
	return link->functions->send(link, to, frame);
}

int link_receive(struct link *link, struct link_route *from, struct payload *frame)
{
	return link->functions->receive(link, from, frame);
}

int link_fd(const struct link *link)
{
	return link->functions->fd(link);
}

struct link *link_close(struct link *link)
{
	if (link != NULL)
		link->functions->close(link);
	return NULL;
}
