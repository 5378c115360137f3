/*
 * `ccid-bridge doctor`. See doctor.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "host-bridge/doctor.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host-bridge/doctor_parts.h"
#include "relay/key_checkup.h"

/* Returns whether config can be used. */
static bool check_configuration(struct checkup *checkup, const char *file,
	struct bridge_config *config)
{
	char problem[CONFIG_PROBLEM_MAX] = "";
	int r = bridge_config_read(config, file, problem);

	if (r == 0)
		checkup_ok(checkup, "configuration", "%s can be used", file);
	else
		checkup_problem(checkup, "configuration", NULL, "%s",
			r > 0 ? problem : strerror(-r));
	return r == 0;
}

int doctor_run(const char *file)
{
	struct bridge_config config = BRIDGE_CONFIG_NULL;
	struct checkup checkup = { .out = stdout };
	bool usable;

	if (geteuid() != 0)
		checkup_unknown(&checkup, "user", "not root, who alone may see some of this");
	usable = check_configuration(&checkup, file, &config);
	if (usable) {
		if (config.keyed)
			key_checkup(&checkup, "ccid-bridge", config.key_file);
		doctor_endpoints(&checkup, &config);
	}
	doctor_pcsc(&checkup, usable ? &config : NULL, &pcsc_native);
	bridge_config_deinit(&config);
	return checkup_end(&checkup);
}
