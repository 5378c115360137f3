/*
 * ccid-bridge: the command line, and which role this process plays. core is what an administrator
 * starts; the other roles are started by core, and only by it.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/harden.h"
#include "base/log.h"
#include "base/payload.h"
#include "control/ask.h"
#include "control/command_line.h"
#include "control/record.h"
#include "control/status.h"
#include "host-bridge/config.h"
#include "host-bridge/core.h"
#include "host-bridge/doctor.h"
#include "host-bridge/front.h"
#include "host-bridge/monitor.h"
#include "host-bridge/process.h"
#include "host-bridge/prober.h"
#include "host-bridge/show.h"
#include "host-bridge/worker.h"
#include "relay/key_file.h"
#include "relay/wire.h"

#define NAME "ccid-bridge"

#ifdef BRIDGE_SECCOMP_VERSION
#define SECCOMP_LIBRARY ", libseccomp " BRIDGE_SECCOMP_VERSION
#define SECCOMP_FEATURE "+seccomp"
#else
#define SECCOMP_LIBRARY ""
#define SECCOMP_FEATURE "-seccomp"
#endif

/* ---- roles ---- */

static int run_role(const struct command_line *line)
{
	enum log_level level = LOG_LEVEL_INFO;
	const char *const *words = line->words;
	size_t count = line->word_count;

	if (line->log_level != NULL)
		(void)log_level_by_name(line->log_level, &level);
	log_init("ccid-bridge", level);
	if (process_adopt(line->role) != 0) {
		(void)fputs("ccid-bridge: this role is for ccid-bridge itself to start\n", stderr);
		return EX_USAGE;
	}
	if (strcmp(line->role, PROCESS_FRONT) == 0 && count == 1)
		return front_run(PROCESS_CHANNEL, words[0]);
	if (strcmp(line->role, PROCESS_MONITOR) == 0 && count == 0)
		return monitor_run(PROCESS_CHANNEL);
	if (strcmp(line->role, PROCESS_WORKER) == 0 && count == WORKER_WORDS)
		return worker_run(PROCESS_CHANNEL, words);
	if (strcmp(line->role, PROCESS_CLEANER) == 0 && count == 2)
		return worker_clean(PROCESS_CHANNEL, words[0], words[1]);
	if (strcmp(line->role, PROCESS_PROBER) == 0 && count == 1)
		return prober_run(PROCESS_CHANNEL, words[0]);
	(void)fprintf(stderr, "ccid-bridge: no such role: %s\n", line->role);
	return EX_USAGE;
}

/* ---- commands ---- */

static int run_key(const struct command_line *line)
{
	return key_command(NAME, line->command->name,
		line->operand != NULL ? line->operand : BRIDGE_KEY_FILE);
}

static void (*const shows[])(const json_t *answer, FILE *out) = {
	[CONTROL_READERS] = bridge_show_readers,
	[CONTROL_STATUS] = bridge_show_status,
	[CONTROL_LOG_LEVEL] = control_status_show_log_level,
};

/*
 * Where the daemon is asked; borrowed from line or config. Who asks may not be allowed to read the
 * configuration, and then can only guess.
 */
static const char *control_path(const struct command_line *line, struct bridge_config *config)
{
	char problem[CONFIG_PROBLEM_MAX];

	if (line->socket != NULL)
		return line->socket;
	return bridge_config_read(config, line->config, problem) == 0 ? config->control : BRIDGE_CONTROL;
}

static int run_ask(const struct command_line *line)
{
	struct bridge_config config = BRIDGE_CONFIG_NULL;
	struct control_asking asking = {
		.program = NAME,
		.path = control_path(line, &config),
		.json = line->json,
		.watch = line->watch,
	};
	int status;

	(void)control_verb_by_name(line->command->name, &asking.request.verb);
	asking.show = shows[asking.request.verb];
	(void)snprintf(asking.request.argument, sizeof asking.request.argument, "%s",
		line->operand != NULL ? line->operand : "");
	status = control_ask(&asking);
	bridge_config_deinit(&config);
	return status;
}

static int run_trace(const struct command_line *line)
{
	struct bridge_config config = BRIDGE_CONFIG_NULL;
	struct control_recording recording = {
		.program = NAME,
		.path = control_path(line, &config),
		.file = line->operand,
		.with_data = line->with_data,
	};
	int status;

	status = control_record(&recording);
	bridge_config_deinit(&config);
	return status;
}

/* ---- core ---- */

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

static int run_core(const struct command_line *line)
{
	bool check = line->command != NULL;
	struct bridge_config config = BRIDGE_CONFIG_NULL;
	static struct key_pair own;
	char problem[CONFIG_PROBLEM_MAX];
	int status = EXIT_FAILURE;
	int r = bridge_config_read(&config, line->config, problem);

	if (r != 0) {
		(void)fprintf(stderr, "%s\n", r > 0 ? problem : strerror(-r));
		return EX_CONFIG;
	}
	if (line->log_level != NULL)
		(void)log_level_by_name(line->log_level, &config.log_level);
	log_init(NAME, config.log_level);
	if (read_key(&config, &own) != 0) {
		status = EX_CONFIG;
	} else if (check) {
		(void)printf("%s: configuration OK\n", line->config);
		status = EXIT_SUCCESS;
	} else {
		log_share();
		status = core_run(&config, line->config, &own);
	}
	payload_wipe(&own, sizeof own);
	bridge_config_deinit(&config);
	return status;
}

/* ---- the command line ---- */

static int run_doctor(const struct command_line *line)
{
	return doctor_run(line->config);
}

static const struct command commands[] = {
	{ "readers", NULL, "the host's readers and cards, and which guest has which", true, run_ask },
	{ "status", NULL, "the daemon, its guests, and what they have done", true, run_ask },
	{ "log-level", "[LEVEL]", "what the daemon logs; with LEVEL, from now on", false, run_ask },
	{ "check-config", NULL, "whether the configuration is right: exit status 0 or 78", false, run_core },
	{ "doctor", NULL, "what is wrong with this host or its configuration, and what to type", false,
		run_doctor },
	{ COMMAND_TRACE, "FILE", "write the guests' calls into FILE, for Wireshark, until Ctrl-C; the data\n"
		"of APDUs is cut out", false, run_trace },
	{ KEY_COMMAND_MAKE, "[KEY-FILE]", "make the bridge's key, and print its public half", false, run_key },
	{ KEY_COMMAND_SHOW, "[KEY-FILE]", "print the public half again; KEY-FILE is, unless given,\n"
		BRIDGE_KEY_FILE, false, run_key },
	{ NULL, NULL, NULL, false, NULL },
};

static const struct command_program program = {
	.name = NAME,
	.purpose = "Lets guests use the smart-card readers of this host, through its pcscd.",
	.version = NAME " " CCID_RELAY_VERSION "\nrelay protocol " WIRE_VERSION_TEXT ", tcp:// and ipc://, keys: "
		"Noise_IK_25519_ChaChaPoly_SHA256\n",
	.built_with = "libpcsclite " BRIDGE_PCSC_VERSION SECCOMP_LIBRARY,
	.features = "+trace +notify " SECCOMP_FEATURE,
	.config = BRIDGE_CONFIG_FILE,
	.commands = commands,
	.role_option = PROCESS_ROLE_OPTION,
};

int main(int argc, char **argv)
{
	struct command_line line;
	int status = command_line_parse(&program, argc, argv, &line);

	if (status != COMMAND_LINE_GO_ON)
		return status;
	harden_process();
	if (sodium_init() < 0) {
		(void)fputs("ccid-bridge: libsodium can't be used\n", stderr);
		return EXIT_FAILURE;
	}
	if (line.role != NULL)
		return run_role(&line);
	return line.command != NULL ? line.command->run(&line) : run_core(&line);
}
