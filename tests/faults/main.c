/*
 * link-proxy LISTEN TARGET CONTROL: see proxy.h, and proxy-control.h for what CONTROL takes.
 *
 * LISTEN is a TCP port of 127.0.0.1 or the path of a unix socket, TARGET the bridge's socket.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "tests/faults/proxy-control.h"

#define EXIT_USAGE 2

struct program {
	uv_loop_t loop;
	struct proxy proxy;
	struct proxy_control control;
};

static void quit(void *context)
{
	struct program *program = context;

	proxy_close(&program->proxy);
	proxy_control_close(&program->control);
	uv_stop(&program->loop);
}

int main(int argc, char **argv)
{
	static struct program program;
	int r;

	log_init("link-proxy", LOG_LEVEL_INFO);
	(void)signal(SIGPIPE, SIG_IGN);
	if (argc != 4) {
		(void)fputs("usage: link-proxy PORT|PATH TARGET CONTROL\n", stderr);
		return EXIT_USAGE;
	}
	r = uv_loop_init(&program.loop);
	if (r == 0)
		r = proxy_init(&program.proxy, &program.loop, argv[1], argv[2]);
	if (r == 0)
		r = proxy_control_init(&program.control, argv[3], &program.proxy, quit, &program);
	if (r != 0) {
		log_error("start", "%s", uv_strerror(r));
		return EXIT_FAILURE;
	}
	(void)uv_run(&program.loop, UV_RUN_DEFAULT);
	(void)uv_run(&program.loop, UV_RUN_NOWAIT); /* the close callbacks, the answer to "quit" */
	proxy_deinit(&program.proxy);
	return EXIT_SUCCESS;
}
