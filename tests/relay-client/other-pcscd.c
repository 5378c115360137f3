/*
 * other-pcscd SOCKET: a pcscd of another version, as libpcsclite sees one. Whatever the client says
 * its version is, the answer is that it can't be served.
 *
 * pcsc-lite 1.9.9, winscard_msg.h: a request is a header of two u32, the size of the body and the
 * command, and the body; of CMD_VERSION that is the major and the minor version and the result, each
 * 32 bits, and comes back.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <winscard.h>

#define CMD_VERSION 0x11

static void fail(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

static int listen_at(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
	(void)unlink(path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
			chmod(path, 0666) != 0 || listen(fd, 16) != 0)
		fail(path);
	return fd;
}

static void serve(int fd)
{
	struct {
		uint32_t size;
		uint32_t command;
		int32_t major;
		int32_t minor;
		uint32_t result;
	} request;

	if (recv(fd, &request, sizeof request, MSG_WAITALL) != sizeof request ||
			request.command != CMD_VERSION)
		return;
	request.major++;
	request.result = (uint32_t)SCARD_E_SERVICE_STOPPED;
	(void)send(fd, &request.major, 12, MSG_NOSIGNAL);
}

int main(int argc, char **argv)
{
	int listening;

	if (argc != 2) {
		(void)fprintf(stderr, "usage: other-pcscd SOCKET\n");
		return 2;
	}
	listening = listen_at(argv[1]);
	for (;;) {
		int fd = accept(listening, NULL, NULL);

		if (fd < 0)
			fail("accept");
		serve(fd);
		(void)close(fd);
	}
}
