/*
 * A look at the private key. See key_checkup.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "relay/key_checkup.h"

#include <stdio.h>
#include <unistd.h>

#include "base/payload.h"
#include "relay/key_file.h"

#define REMEDY_MAX 1024

void key_checkup(struct checkup *checkup, const char *program, const char *file)
{
	struct private_key key;
	char why[KEY_FILE_WHY_MAX], remedy[REMEDY_MAX];
	int r = key_file_read(file, &key, why);

	payload_wipe(&key, sizeof(key));
	(void)snprintf(remedy, sizeof(remedy), "%s " KEY_COMMAND_MAKE " %s", program, file);
	if (r == 0)
		checkup_ok(checkup, "key file", "%s can be used", file);
	else
		checkup_problem(checkup, "key file", access(file, F_OK) != 0 ? remedy : NULL, "%s", why);
}
