/*
 * sendmsg(2) and recvmsg(2) with SCM_RIGHTS. See fd_message.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "gadget/usb/fd_message.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"

union fd_message_control {
	struct cmsghdr header;
	char room[CMSG_SPACE(FD_MESSAGE_MAX * sizeof(int))];
};

int fd_message_send(int socket, const uint8_t *bytes, size_t size, const int *fds, size_t count)
{
	union fd_message_control control = { .room = { 0 } };
	struct iovec data = { .iov_base = (void *)(uintptr_t)bytes, .iov_len = size };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1 };
	ssize_t n;

	assert(count <= FD_MESSAGE_MAX);
	if (count > 0) {
		message.msg_control = control.room;
		message.msg_controllen = CMSG_SPACE(count * sizeof(int));
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(&control.header), fds, count * sizeof(int));
	}
	do
		n = sendmsg(socket, &message, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? error_from_errno() : 0;
}

/* There is room for one header only, so a message has no more than that. */
static void fd_message_take(const union fd_message_control *control, size_t size, int *fds,
	size_t *count)
{
	const struct cmsghdr *header = &control->header;

	if (size < sizeof(*header) || header->cmsg_level != SOL_SOCKET ||
	    header->cmsg_type != SCM_RIGHTS)
		return;
	*count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	memcpy(fds, CMSG_DATA(header), *count * sizeof(int));
}

int fd_message_receive(int socket, uint8_t *bytes, size_t size, int *fds, size_t *count)
{
	union fd_message_control control = { .room = { 0 } };
	struct iovec data = { .iov_base = bytes, .iov_len = size };
	struct msghdr message = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = control.room,
		.msg_controllen = sizeof(control.room),
	};
	ssize_t n;

	*count = 0;
	do
		n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return error_from_errno();
	fd_message_take(&control, message.msg_controllen, fds, count);
	if ((message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0)
		return (int)n;
	while (*count > 0)
		(void)close(fds[--*count]);
	return -EMSGSIZE;
}
