/*
 * card-ctl: says one command to a running card and prints its answer. See control.h for the
 * commands.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "tests/card/control.h"

#define EXIT_USAGE 2

static const char usage_text[] =
	"usage: card-ctl SOCKET [INDEX] COMMAND [ARGUMENT]\n"
	"Commands: insert, remove, swap [MS], atr NAME, mute on|off|atr|apdu, delay MS,\n"
	"corrupt on|off, restore-tries, state, counters, quit. INDEX is the card's (0).\n"
	"Exit status 0 only if the card answered 'ok'.\n";

/* Joins the words into a line. Returns whether it fits. */
static bool join(char *line, size_t size, int count, char **words)
{
	size_t used = 0;
	int n;

	for (int i = 0; i < count; i++) {
		n = snprintf(&line[used], size - used, "%s%c", words[i],
			     i + 1 < count ? ' ' : '\n');
		if (n < 0 || (size_t)n >= size - used)
			return false;
		used += (size_t)n;
	}
	return true;
}

static int dial(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof(address.sun_path))
		return -1;
	(void)strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	if (fd >= 0)
		(void)close(fd);
	return -1;
}

int main(int argc, char **argv)
{
	char line[CONTROL_LINE_MAX], reply[CONTROL_REPLY_MAX + 1];
	FILE *stream;
	int fd;

	log_init("card-ctl", LOG_LEVEL_INFO);
	if (argc < 3 || !join(line, sizeof(line), argc - 2, &argv[2])) {
		(void)fputs(usage_text, stderr);
		return EXIT_USAGE;
	}
	fd = dial(argv[1]);
	stream = fd < 0 ? NULL : fdopen(fd, "r+");
	if (stream == NULL) {
		log_error("connect", "no card listens at %s", argv[1]);
		return EXIT_FAILURE;
	}
	if (fputs(line, stream) == EOF || fflush(stream) == EOF ||
	    fgets(reply, sizeof(reply), stream) == NULL) {
		log_error("answer", "the card at %s did not answer", argv[1]);
		return EXIT_FAILURE;
	}
	(void)fclose(stream);
	(void)fputs(reply, stdout);
	return strncmp(reply, "ok", 2) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
