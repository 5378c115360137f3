/*
 * ccid-gadget: makes USB smart-card readers in this machine that stand for readers of a host. Parse,
 * check, set up, run, tear down.
 *
 * Exit status: 0 after SIGTERM or SIGINT, 1 when the system lacks something (one line says what), 64
 * for a wrong command line, 71 without memory, 78 for a wrong configuration (sysexits(3)).
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <uv.h>

#include "base/harden.h"
#include "base/log.h"
#include "base/notify.h"
#include "base/payload.h"
#include "base/watchdog.h"
#include "control/ask.h"
#include "control/command_line.h"
#include "control/record.h"
#include "control/status.h"
#include "gadget/config.h"
#include "gadget/daemon.h"
#include "gadget/doctor.h"
#include "gadget/reader.h"
#include "gadget/report.h"
#include "gadget/show.h"
#include "gadget/startup.h"
#include "gadget/usb/lock.h"
#include "gadget/usb/maker.h"
#include "gadget/usb/privileges.h"
#include "gadget/usb/retry.h"
#include "gadget/usb/usb.h"
#include "relay/endpoint.h"
#include "relay/key_file.h"
#include "relay/wire.h"

#define NAME "ccid-gadget"

struct program {
	uv_loop_t loop;
	uv_signal_t terminate;
	uv_signal_t interrupt;
	uv_poll_t maker; /* whether it has ended */
	struct watchdog watchdog;
	struct startup startup;
	struct daemon *daemon;
	struct report report;
	int status;
};

/* ---- configuration ---- */

static int read_config(const struct command_line *line, struct config *config)
{
	char problem[CONFIG_PROBLEM_MAX] = "";
	int r = config_read(line->config, config, problem);

	if (r != 0) {
		(void)fprintf(stderr, "%s\n", r > 0 ? problem : strerror(-r));
		return r > 0 ? EX_CONFIG : EX_OSERR;
	}
	if (line->log_level != NULL)
		(void)log_level_by_name(line->log_level, &config->log_level);
	return EX_OK;
}

/* This machine's key, where the bridge is known by one. It isn't to be swapped out. */
static int read_key(struct config *config)
{
	char why[KEY_FILE_WHY_MAX];

	if (!config->keyed)
		return EX_OK;
	(void)sodium_mlock(&config->own, sizeof(config->own));
	if (key_file_read(config->key_file, &config->own.private, why) != 0) {
		(void)fprintf(stderr, "ccid-gadget: %s\n", why);
		return EX_CONFIG;
	}
	key_public(&config->own.private, &config->own.public);
	return EX_OK;
}

/* ---- set up ---- */

/*
 * One daemon in a machine: a second one would take the session away from the first before it found the
 * names of its gadgets taken. A process that was killed keeps the lock until the kernel has unbound its
 * gadget, so it is given some time. The lock is held until this process ends.
 */
static int take_lock(void)
{
	int lock, r = USB_LOCK_HELD;

	for (int i = 0; i < 3 * USB_RETRY_COUNT && r == USB_LOCK_HELD; i++) {
		if (i > 0)
			usb_retry_pause();
		r = usb_lock_take("ccid-gadget", &lock);
	}
	return r;
}

/* What every device will need is checked before anything is waited for. */
static int check_system(void)
{
	int r = usb_check();

	if (r != 0) {
		log_error("usb", "%s", r > 0 ? usb_outcome_text((enum usb_outcome)r) : strerror(-r));
		return EXIT_FAILURE;
	}
	r = take_lock();
	if (r != 0)
		log_error("main", "%s", r > 0 ? "another ccid-gadget runs in this machine; stop it first"
					      : strerror(-r));
	return r == 0 ? 0 : EXIT_FAILURE;
}

/* Without it nobody can ask, and that is all. */
static void open_control(const struct config *config, struct control_socket *socket)
{
	char why[CONTROL_WHY_MAX];

	if (config->control[0] != '\0' && control_socket_open(socket, config->control, why) != 0)
		log_warning("control", "%s: 'ccid-gadget readers' will not find this one", why);
}

/*
 * Leaves what only root may do to a process of its own, and all else to a user who may do nothing.
 * In this order, so that the maker never has the key.
 */
static int give_up_root(struct config *config, struct usb_maker **maker,
	struct control_socket *control)
{
	const struct usb_maker_rules rules = {
		.prefix = READER_GADGETS,
		.user = config->user,
		.group = config->group,
		.socket = endpoint_is_ipc(config->bridge) ? endpoint_path(config->bridge) : NULL,
		.control = config->control[0] != '\0' ? config->control : NULL,
	};
	int status, r = usb_maker_start(maker, &rules);

	if (r != 0) {
		log_error("main", "can't start a process: %s", strerror(-r));
		return EXIT_FAILURE;
	}
	open_control(config, control);
	status = read_key(config);
	if (status != 0)
		return status;
	r = privileges_drop(config->user, config->group);
	harden_process(); /* a change of the user makes it traceable, where fs.suid_dumpable says so */
	if (r == 0) {
		log_info("main", "running as user %s, without capabilities", config->user_name);
		return 0;
	}
	log_error("main", "can't become user %s: %s", config->user_name, strerror(-r));
	return EXIT_FAILURE;
}

/* ---- run ---- */

static bool program_is_well(void *owner)
{
	const struct program *program = owner;

	return program->daemon != NULL && daemon_is_well(program->daemon);
}

static void program_stop(struct program *program)
{
	notify("STOPPING=1");
	watchdog_stop(&program->watchdog);
	startup_end(&program->startup);
	report_stop(&program->report);
	program->daemon = daemon_stop(program->daemon);
	if (!uv_is_closing((uv_handle_t *)&program->maker))
		uv_close((uv_handle_t *)&program->maker, NULL);
	if (!uv_is_closing((uv_handle_t *)&program->terminate))
		uv_close((uv_handle_t *)&program->terminate, NULL);
	if (!uv_is_closing((uv_handle_t *)&program->interrupt))
		uv_close((uv_handle_t *)&program->interrupt, NULL);
}

static void on_signal(uv_signal_t *signal, int number)
{
	log_info("main", "stopping on signal %d", number);
	program_stop(signal->data);
}

static void on_stopped(void *owner)
{
	struct program *program = owner;

	program->status = EXIT_FAILURE;
	program_stop(program);
}

/* Without it no reader can come or go. Whoever started us is to start us anew. */
static void on_maker_ended(uv_poll_t *poll, int status, int events)
{
	(void)status;
	(void)events;
	log_error("main", "the process that makes USB devices has ended");
	on_stopped(poll->data);
}

static int program_watch_maker(struct program *program, const struct usb_maker *maker)
{
	int r = uv_poll_init(&program->loop, &program->maker, usb_maker_fd(maker));

	program->maker.data = program;
	return r == 0 ? uv_poll_start(&program->maker, UV_READABLE, on_maker_ended) : r;
}

static void program_signals(struct program *program)
{
	(void)uv_signal_init(&program->loop, &program->terminate);
	(void)uv_signal_init(&program->loop, &program->interrupt);
	program->terminate.data = program;
	program->interrupt.data = program;
	(void)uv_signal_start(&program->terminate, on_signal, SIGTERM);
	(void)uv_signal_start(&program->interrupt, on_signal, SIGINT);
}

static int run(struct config *config, const char *path, struct usb_maker *maker,
	struct control_socket *control)
{
	struct program program = {
		.report = { .tracers = REPORT_TRACES(CCID_RELAY_VERSION) },
		.status = EXIT_SUCCESS,
	};
	int r = uv_loop_init(&program.loop);

	if (r != 0) {
		log_error("main", "no event loop: %s", uv_strerror(r));
		return EXIT_FAILURE;
	}
	program_signals(&program);
	watchdog_start(&program.watchdog, &program.loop, program_is_well, &program);
	r = program_watch_maker(&program, maker);
	if (r == 0)
		r = daemon_start(&program.daemon, &program.loop, maker, config,
			&program.report.tracers, on_stopped, &program);
	/* The connection has a copy. */
	payload_wipe(&config->own, sizeof(config->own));
	if (r == 0) {
		report_start(&program.report, &program.loop, control, path, program.daemon);
		startup_begin(&program.startup, &program.loop, program.daemon);
		notify("STATUS=waiting for the bridge");
	} else {
		if (r < 0)
			log_error("main", "can't start: %s", strerror(-r));
		program.status = EXIT_FAILURE;
		program_stop(&program);
	}
	(void)uv_run(&program.loop, UV_RUN_DEFAULT);
	(void)uv_loop_close(&program.loop);
	return program.status;
}

/* Set up as root, run as nobody in particular. */
static int serve(struct config *config, const char *path)
{
	struct control_socket control = CONTROL_SOCKET_NULL;
	struct usb_maker *maker = NULL;
	int status = check_system();

	if (status == 0)
		status = give_up_root(config, &maker, &control);
	if (status == 0)
		status = run(config, path, maker, &control);
	control_socket_close(&control);
	maker = usb_maker_free(maker);
	return status;
}

static int run_daemon(const struct command_line *line)
{
	bool check = line->command != NULL;
	static struct config config;
	int status = read_config(line, &config);

	if (status == EX_OK && check) {
		status = read_key(&config);
		if (status == EX_OK)
			(void)printf("%s: configuration OK\n", line->config);
	} else if (status == EX_OK) {
		log_init(NAME, config.log_level);
		log_share();
		status = serve(&config, line->config);
	}
	payload_wipe(&config.own, sizeof(config.own));
	return status;
}

/* ---- commands ---- */

static int run_key(const struct command_line *line)
{
	return key_command(NAME, line->command->name,
		line->operand != NULL ? line->operand : CONFIG_KEY_FILE);
}

static int run_doctor(const struct command_line *line)
{
	return doctor_run(line->config);
}

static void (*const shows[])(const json_t *answer, FILE *out) = {
	[CONTROL_READERS] = show_readers,
	[CONTROL_STATUS] = show_status,
	[CONTROL_LOG_LEVEL] = control_status_show_log_level,
};

/*
 * Where the daemon that runs is asked. Who asks may not be allowed to read the configuration, and then
 * can only guess where that is.
 */
static const char *control_path(const struct command_line *line)
{
	static struct config config;
	char problem[CONFIG_PROBLEM_MAX];

	if (line->socket != NULL)
		return line->socket;
	return config_read(line->config, &config, problem) == 0 ? config.control : CONFIG_CONTROL;
}

static int run_trace(const struct command_line *line)
{
	const struct control_recording recording = {
		.program = NAME,
		.path = control_path(line),
		.file = line->operand,
		.with_data = line->with_data,
	};

	return control_record(&recording);
}

static int run_ask(const struct command_line *line)
{
	struct control_asking asking = {
		.program = NAME,
		.path = control_path(line),
		.json = line->json,
		.watch = line->watch,
	};

	(void)control_verb_by_name(line->command->name, &asking.request.verb);
	asking.show = shows[asking.request.verb];
	(void)snprintf(asking.request.argument, sizeof(asking.request.argument), "%s",
		line->operand != NULL ? line->operand : "");
	return control_ask(&asking);
}

/* ---- the command line ---- */

static const struct command commands[] = {
	{ "readers", NULL, "the readers of the host, and what they are here", true, run_ask },
	{ "status", NULL, "the daemon, its connection, and what its readers have done", true, run_ask },
	{ "log-level", "[LEVEL]", "what the daemon logs; with LEVEL, from now on", false, run_ask },
	{ "check-config", NULL, "whether the configuration is right: exit status 0 or 78", false, run_daemon },
	{ "doctor", NULL, "what is wrong with this machine or its configuration, and what to type",
		false, run_doctor },
	{ COMMAND_TRACE, "FILE", "write what crosses the virtual USB into FILE, for Wireshark, until\n"
		"Ctrl-C; the data of APDUs is cut out", false, run_trace },
	{ KEY_COMMAND_MAKE, "[KEY-FILE]", "make this machine's key, and print its public half", false, run_key },
	{ KEY_COMMAND_SHOW, "[KEY-FILE]", "print the public half again; KEY-FILE is, unless given,\n"
		CONFIG_KEY_FILE, false, run_key },
	{ NULL, NULL, NULL, false, NULL },
};

static const struct command_program program_line = {
	.name = NAME,
	.purpose = "Makes USB smart-card readers in this machine that stand for readers of a host.",
	.version = NAME " " CCID_RELAY_VERSION "\nrelay protocol " WIRE_VERSION_TEXT ", tcp:// and ipc://, keys: "
		"Noise_IK_25519_ChaChaPoly_SHA256\n",
	.built_with = "libusbgx " GADGET_USBG_VERSION,
	.features = "+trace +notify -seccomp",
	.config = GADGET_CONFIG_FILE,
	.commands = commands,
};

int main(int argc, char **argv)
{
	struct command_line line;
	int status = command_line_parse(&program_line, argc, argv, &line);

	if (status != COMMAND_LINE_GO_ON)
		return status;
	harden_process();
	if (sodium_init() < 0) {
		(void)fputs("ccid-gadget: libsodium does not start\n", stderr);
		return EXIT_FAILURE;
	}
	return line.command != NULL ? line.command->run(&line) : run_daemon(&line);
}
