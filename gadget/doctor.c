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

#include "gadget/doctor_parts.h"
#include "relay/key_checkup.h"

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
		if (config.keyed)
			key_checkup(&checkup, "ccid-gadget", config.key_file);
		if (doctor_bridge(&checkup, &config))
			doctor_daemon(&checkup, &config);
	}
	return checkup_end(&checkup);
}
