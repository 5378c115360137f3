/*
 * ccid-gadget: makes USB smart-card readers in this machine that stand for readers of a host. Parse,
 * check, set up, run, tear down.
 *
 * Exit status: 0 after SIGTERM or SIGINT, 1 when the system lacks something (one line says what), 64
 * for a wrong command line, 71 without memory, 78 for a wrong configuration (sysexits(3)).
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <getopt.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <uv.h>

#include "base/harden.h"
#include "base/log.h"
#include "base/payload.h"
#include "gadget/config.h"
#include "gadget/daemon.h"
#include "gadget/doctor.h"
#include "gadget/reader.h"
#include "gadget/usb/lock.h"
#include "gadget/usb/maker.h"
#include "gadget/usb/privileges.h"
#include "gadget/usb/retry.h"
#include "gadget/usb/usb.h"
#include "relay/endpoint.h"
#include "relay/key_file.h"

struct arguments {
	const char *config;
	const char *log_level;
	bool check;
	bool doctor;
	const char *key_command; /* NULL: none */
	const char *key_file;
};

struct program {
	uv_loop_t loop;
	uv_signal_t terminate;
	uv_signal_t interrupt;
	uv_poll_t maker; /* whether it has ended */
	struct daemon *daemon;
	int status;
};

static const char usage[] =
	"Usage: ccid-gadget [-c FILE] [--log-level LEVEL]\n"
	"       ccid-gadget [-c FILE] check-config|doctor\n"
	"       ccid-gadget genkey|pubkey [KEY-FILE]\n"
	"Makes USB smart-card readers in this machine that stand for readers of a host.\n"
	"\n"
	"  -c, --config FILE      read FILE, not " GADGET_CONFIG_FILE "\n"
	"      --log-level LEVEL  error, warning, info or debug, whatever the configuration says\n"
	"      --version          print the version\n"
	"      --help             print this\n"
	"\n"
	"check-config, or --check-config, says whether the configuration can be used: exit status 0 or 78.\n"
	"doctor looks at what a reader here depends on, and says what is wrong and what to type.\n"
	"genkey makes this machine's private key in KEY-FILE, which must not be there yet, and prints its\n"
	"public key, for the bridge's configuration; pubkey prints it again. KEY-FILE is\n"
	CONFIG_KEY_FILE " unless given.\n";

/* ---- parse ---- */

/* genkey [FILE], pubkey [FILE] */
static void parse_key_command(int argc, char **argv, struct arguments *arguments)
{
	const char *word = optind < argc ? argv[optind] : "";

	if (strcmp(word, KEY_COMMAND_MAKE) != 0 && strcmp(word, KEY_COMMAND_SHOW) != 0)
		return;
	arguments->key_command = word;
	optind++;
	if (optind < argc)
		arguments->key_file = argv[optind++];
}

/* Returns -1 to go on, else the exit status. */
static int parse_arguments(int argc, char **argv, struct arguments *arguments)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "check-config", no_argument, NULL, 'k' },
		{ "log-level", required_argument, NULL, 'l' },
		{ "version", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	*arguments = (struct arguments){ .config = GADGET_CONFIG_FILE,
		.key_file = CONFIG_KEY_FILE };
	while ((option = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			arguments->config = optarg;
			break;
		case 'k':
			arguments->check = true;
			break;
		case 'l':
			arguments->log_level = optarg;
			break;
		case 'v':
			(void)puts("ccid-gadget " CCID_RELAY_VERSION);
			return EX_OK;
		case 'h':
			(void)fputs(usage, stdout);
			return EX_OK;
		default:
			(void)fputs(usage, stderr);
			return EX_USAGE;
		}
	}
	if (optind + 1 == argc && strcmp(argv[optind], "check-config") == 0) {
		arguments->check = true;
		optind++;
	}
	if (optind + 1 == argc && strcmp(argv[optind], "doctor") == 0) {
		arguments->doctor = true;
		optind++;
	}
	parse_key_command(argc, argv, arguments);
	if (optind == argc)
		return -1;
	(void)fprintf(stderr, "ccid-gadget: '%s' is not a command\n%s", argv[optind], usage);
	return EX_USAGE;
}

static int read_config(const struct arguments *arguments, struct config *config)
{
	char problem[CONFIG_PROBLEM_MAX] = "";
	int r = config_read(arguments->config, config, problem);

	if (r != 0) {
		(void)fprintf(stderr, "%s\n", r > 0 ? problem : strerror(-r));
		return r > 0 ? EX_CONFIG : EX_OSERR;
	}
	if (arguments->log_level != NULL &&
		log_level_by_name(arguments->log_level, &config->log_level) != 0) {
		(void)fprintf(stderr, "ccid-gadget: '%s' is none of error, warning, info, debug\n",
			arguments->log_level);
		return EX_USAGE;
	}
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

/*
 * Leaves what only root may do to a process of its own, and all else to a user who may do nothing.
 * In this order, so that the maker never has the key.
 */
static int give_up_root(struct config *config, struct usb_maker **maker)
{
	const struct usb_maker_rules rules = {
		.prefix = READER_GADGETS,
		.user = config->user,
		.group = config->group,
		.socket = endpoint_is_ipc(config->bridge) ? endpoint_path(config->bridge) : NULL,
	};
	int status, r = usb_maker_start(maker, &rules);

	if (r != 0) {
		log_error("main", "can't start a process: %s", strerror(-r));
		return EXIT_FAILURE;
	}
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

static void program_stop(struct program *program)
{
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

static int run(struct config *config, struct usb_maker *maker)
{
	struct program program = { .status = EXIT_SUCCESS };
	int r = uv_loop_init(&program.loop);

	if (r != 0) {
		log_error("main", "no event loop: %s", uv_strerror(r));
		return EXIT_FAILURE;
	}
	program_signals(&program);
	r = program_watch_maker(&program, maker);
	if (r == 0)
		r = daemon_start(&program.daemon, &program.loop, maker, config, on_stopped,
			&program);
	/* The connection has a copy. */
	payload_wipe(&config->own, sizeof(config->own));
	if (r != 0) {
		if (r < 0)
			log_error("main", "can't start: %s", strerror(-r));
		program.status = EXIT_FAILURE;
		program_stop(&program);
	}
	(void)uv_run(&program.loop, UV_RUN_DEFAULT);
	(void)uv_loop_close(&program.loop);
	return program.status;
}

int main(int argc, char **argv)
{
	struct arguments arguments;
	static struct config config;
	struct usb_maker *maker = NULL;
	int status = parse_arguments(argc, argv, &arguments);

	if (status >= 0)
		return status;
	harden_process();
	if (sodium_init() < 0) {
		(void)fputs("ccid-gadget: libsodium does not start\n", stderr);
		return EXIT_FAILURE;
	}
	if (arguments.key_command != NULL)
		return key_command("ccid-gadget", arguments.key_command, arguments.key_file);
	if (arguments.doctor)
		return doctor_run(arguments.config);
	status = read_config(&arguments, &config);
	if (status == EX_OK && arguments.check) {
		status = read_key(&config);
		if (status == EX_OK)
			(void)printf("%s: configuration OK\n", arguments.config);
	} else if (status == EX_OK) {
		log_init("ccid-gadget", config.log_level);
		status = check_system();
		if (status == 0)
			status = give_up_root(&config, &maker);
		if (status == 0)
			status = run(&config, maker);
		maker = usb_maker_free(maker);
	}
	payload_wipe(&config.own, sizeof(config.own));
	return status;
}
