/*
 * The libraries' own words. See version.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "control/version.h"

#include <confuse.h>
#include <jansson.h>
#include <sodium.h>
#include <uv.h>

#include "base/harden.h"

/* nanomsg and the daemons' own libraries have no function that says it: CMakeLists.txt has asked for it. */
void control_version_print(const char *built_with, const char *features, FILE *out)
{
	(void)fprintf(out, "runs with libuv %s, libsodium %s, libconfuse %s, jansson %s\n",
		uv_version_string(), sodium_version_string(), confuse_version, jansson_version_str());
	(void)fprintf(out, "built with nanomsg " CONTROL_NANOMSG_VERSION ", %s\n", built_with);
	(void)fprintf(out, "features: %s %s\n", features,
		harden_is_traceable() ? "-hardened" : "+hardened");
}
