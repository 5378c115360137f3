/*
 * `ccid-gadget doctor`. See doctor.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "gadget/doctor.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/payload.h"
#include "gadget/doctor_parts.h"
#include "relay/key_file.h"

/* Returns whether config can be used. */
static bool check_configuration(struct checkup *checkup, const char *file, struct config *config)
{
	char problem[CONFIG_PROBLEM_MAX] = "";
	int r = config_read(file, config, problem);

	if (r == 0)
		checkup_ok(checkup, "configuration", "%s can be used", file);
	else
		checkup_problem(checkup, "configuration", NULL, "%s",
			r > 0 ? problem : strerror(-r));
	return r == 0;
}

static void check_key(struct checkup *checkup, const struct config *config)
{
	struct private_key key;
	char why[KEY_FILE_WHY_MAX], remedy[CONFIG_PATH_MAX + 32];
	int r;

	if (!config->keyed)
		return;
	r = key_file_read(config->key_file, &key, why);
	payload_wipe(&key, sizeof(key));
	(void)snprintf(remedy, sizeof(remedy), "ccid-gadget genkey %s", config->key_file);
	if (r == 0)
		checkup_ok(checkup, "key file", "%s can be used", config->key_file);
	else
		checkup_problem(checkup, "key file", access(config->key_file, F_OK) != 0 ? remedy : NULL,
			"%s", why);
}

int doctor_run(const char *file)
{
	static struct config config;
	struct checkup checkup = { .out = stdout };
	bool usable;

	if (geteuid() != 0)
		checkup_unknown(&checkup, "user", "not root, who alone may see some of this");
	usable = check_configuration(&checkup, file, &config);
	doctor_kernel(&checkup, usable ? &config : NULL);
	doctor_drivers(&checkup, usable ? &config : NULL);
	if (usable) {
		check_key(&checkup, &config);
		doctor_bridge(&checkup, &config);
	}
	return checkup_end(&checkup);
}
