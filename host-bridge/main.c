/*
 * ccid-bridge: the command line, and which role this process plays. core is what an administrator
 * starts; the other roles are started by core, and only by it.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <getopt.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/harden.h"
#include "base/log.h"
#include "base/payload.h"
#include "host-bridge/config.h"
#include "host-bridge/core.h"
#include "host-bridge/doctor.h"
#include "host-bridge/front.h"
#include "host-bridge/monitor.h"
#include "host-bridge/process.h"
#include "host-bridge/prober.h"
#include "host-bridge/worker.h"
#include "relay/key_file.h"
#include "relay/wire.h"

enum {
	OPTION_CHECK = 0x100,
	OPTION_LEVEL,
	OPTION_ROLE,
	OPTION_VERSION,
	OPTION_HELP,
};

static const struct option long_options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "check-config", no_argument, NULL, OPTION_CHECK },
	{ "log-level", required_argument, NULL, OPTION_LEVEL },
	{ PROCESS_ROLE_OPTION, required_argument, NULL, OPTION_ROLE },
	{ "version", no_argument, NULL, OPTION_VERSION },
	{ "help", no_argument, NULL, OPTION_HELP },
	{ NULL, 0, NULL, 0 },
};

static const char usage_text[] =
	"Usage: ccid-bridge [-c FILE] [--log-level LEVEL]\n"
	"       ccid-bridge [-c FILE] check-config|doctor\n"
	"       ccid-bridge genkey|pubkey [KEY-FILE]\n"
	"Lets guests use the smart-card readers of this host, through its pcscd.\n"
	"\n"
	"  -c, --config FILE      read FILE, not " BRIDGE_CONFIG_FILE "\n"
	"      --log-level LEVEL  error, warning, info or debug, whatever the configuration says\n"
	"      --version          print the version\n"
	"      --help             print this\n"
	"\n"
	"check-config, or --check-config, says whether the configuration can be used: its exit\n"
	"status is 0 or 78.\n"
	"doctor looks at what the bridge depends on, and says what is wrong and what to type.\n"
	"genkey makes the bridge's private key in KEY-FILE, which must not be there yet, and prints\n"
	"its public key, for the guests' configurations; pubkey prints it again. KEY-FILE is\n"
	BRIDGE_KEY_FILE " unless given.\n";

struct arguments {
	const char *config;
	const char *log_level; /* NULL: that of the configuration */
	const char *role;      /* NULL: core */
	const char *const *words; /* of a role: a worker's guest and reader, a front's endpoint */
	size_t word_count;
	const char *key_command; /* NULL: none */
	const char *key_file;
	bool check;
	bool doctor;
	bool done;             /* --help, --version: nothing more to do */
};

static int usage_error(void)
{
	(void)fputs("Try 'ccid-bridge --help'.\n", stderr);
	return EX_USAGE;
}

static int parse_option(struct arguments *arguments, int option)
{
	enum log_level level;

	switch (option) {
	case 'c':
		arguments->config = optarg;
		return 0;
	case OPTION_CHECK:
		arguments->check = true;
		return 0;
	case OPTION_LEVEL:
		arguments->log_level = optarg;
		if (log_level_by_name(optarg, &level) == 0)
			return 0;
		(void)fprintf(stderr, "ccid-bridge: unknown log level: %s\n", optarg);
		return usage_error();
	case OPTION_ROLE:
		arguments->role = optarg;
		return 0;
	case OPTION_VERSION:
		(void)printf("ccid-bridge %s, relay protocol %d.%d\n", CCID_RELAY_VERSION,
			WIRE_MAJOR, WIRE_MINOR);
		arguments->done = true;
		return 0;
	case OPTION_HELP:
		(void)fputs(usage_text, stdout);
		arguments->done = true;
		return 0;
	}
	return usage_error();
}

/* What is no option: words for a role, a subcommand for the administrator. */
static int parse_rest(struct arguments *arguments, int count, char **rest)
{
	if (arguments->role != NULL) {
		arguments->words = (const char *const *)rest;
		arguments->word_count = (size_t)count;
		return 0;
	}
	if (count == 1 && strcmp(rest[0], "check-config") == 0) {
		arguments->check = true;
		return 0;
	}
	if (count == 1 && strcmp(rest[0], "doctor") == 0) {
		arguments->doctor = true;
		return 0;
	}
	if (count >= 1 && count <= 2 && (strcmp(rest[0], KEY_COMMAND_MAKE) == 0 ||
			strcmp(rest[0], KEY_COMMAND_SHOW) == 0)) {
		arguments->key_command = rest[0];
		arguments->key_file = count == 2 ? rest[1] : BRIDGE_KEY_FILE;
		return 0;
	}
	if (count == 0)
		return 0;
	(void)fprintf(stderr, "ccid-bridge: unknown command: %s\n", rest[0]);
	return usage_error();
}

/* Returns 0 or an exit status. */
static int parse_arguments(struct arguments *arguments, int argc, char **argv)
{
	int option;
	int status = 0;

	*arguments = (struct arguments){ .config = BRIDGE_CONFIG_FILE };
	while (status == 0 && !arguments->done) {
		option = getopt_long(argc, argv, "c:", long_options, NULL);
		if (option == -1)
			return parse_rest(arguments, argc - optind, &argv[optind]);
		status = parse_option(arguments, option);
	}
	return status;
}

static int run_role(const struct arguments *arguments)
{
	enum log_level level = LOG_LEVEL_INFO;
	const char *const *words = arguments->words;
	size_t count = arguments->word_count;

	if (arguments->log_level != NULL)
		(void)log_level_by_name(arguments->log_level, &level);
	log_init("ccid-bridge", level);
	if (process_adopt(arguments->role) != 0) {
		(void)fputs("ccid-bridge: this role is for ccid-bridge itself to start\n", stderr);
		return EX_USAGE;
	}
	if (strcmp(arguments->role, PROCESS_FRONT) == 0 && count == 1)
		return front_run(PROCESS_CHANNEL, words[0]);
	if (strcmp(arguments->role, PROCESS_MONITOR) == 0 && count == 0)
		return monitor_run(PROCESS_CHANNEL);
	if (strcmp(arguments->role, PROCESS_WORKER) == 0 && count == WORKER_WORDS)
		return worker_run(PROCESS_CHANNEL, words);
	if (strcmp(arguments->role, PROCESS_CLEANER) == 0 && count == 2)
		return worker_clean(PROCESS_CHANNEL, words[0], words[1]);
	if (strcmp(arguments->role, PROCESS_PROBER) == 0 && count == 1)
		return prober_run(PROCESS_CHANNEL, words[0]);
	return usage_error();
}

static const char *level_name(enum log_level level)
{
	static const char *const names[] = { "error", "warning", "info", "debug" };

	return names[level];
}

/* The bridge's key, where a guest has one. It isn't to be swapped out. */
static int read_key(const struct bridge_config *config, struct key_pair *own)
{
	char why[KEY_FILE_WHY_MAX];

	if (!config->keyed)
		return 0;
	(void)sodium_mlock(own, sizeof *own);
	if (key_file_read(config->key_file, &own->private, why) != 0) {
		(void)fprintf(stderr, "ccid-bridge: %s\n", why);
		return EX_CONFIG;
	}
	key_public(&own->private, &own->public);
	return 0;
}

static int run_core(const struct arguments *arguments)
{
	struct bridge_config config = BRIDGE_CONFIG_NULL;
	static struct key_pair own;
	char problem[CONFIG_PROBLEM_MAX];
	int status = EXIT_FAILURE;
	int r = bridge_config_read(&config, arguments->config, problem);

	if (r != 0) {
		(void)fprintf(stderr, "%s\n", r > 0 ? problem : strerror(-r));
		return EX_CONFIG;
	}
	if (arguments->log_level != NULL)
		(void)log_level_by_name(arguments->log_level, &config.log_level);
	log_init("ccid-bridge", config.log_level);
	if (read_key(&config, &own) != 0) {
		status = EX_CONFIG;
	} else if (arguments->check) {
		(void)puts("configuration OK");
		status = EXIT_SUCCESS;
	} else {
		status = core_run(&config, level_name(config.log_level), &own);
	}
	payload_wipe(&own, sizeof own);
	bridge_config_deinit(&config);
	return status;
}

int main(int argc, char **argv)
{
	struct arguments arguments;
	int status = parse_arguments(&arguments, argc, argv);

	if (status != 0)
		return status;
	if (arguments.done)
		return EXIT_SUCCESS;
	harden_process();
	if (sodium_init() < 0) {
		(void)fputs("ccid-bridge: libsodium can't be used\n", stderr);
		return EXIT_FAILURE;
	}
	if (arguments.role != NULL)
		return run_role(&arguments);
	if (arguments.key_command != NULL)
		return key_command("ccid-bridge", arguments.key_command, arguments.key_file);
	if (arguments.doctor)
		return doctor_run(arguments.config);
	return run_core(&arguments);
}
