/*
 * The parts of `ccid-bridge doctor`: each looks at one thing and prints a line for what is in it.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include "base/checkup.h"
#include "host-bridge/config.h"
#include "host-bridge/pcsc.h"

/*
 * pcscd, its readers, and what the guests of config (NULL: there is none) would see of them. Ends the
 * process, with a line that says so, if pcscd doesn't answer at all.
 */
void doctor_pcsc(struct checkup *checkup, const struct bridge_config *config,
	const struct pcsc_functions *pcsc);

/* Whether pcscd, which has answered this user, lets in the one that the service runs as. */
void doctor_service(struct checkup *checkup, const struct pcsc_functions *pcsc);

/* Where the bridge would listen. */
void doctor_endpoints(struct checkup *checkup, const struct bridge_config *config);
