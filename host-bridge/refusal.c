/*
 * What a guest is refused with. See refusal.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "host-bridge/refusal.h"

#include <stdio.h>

static struct wire_message refusal(uint8_t reason)
{
	struct wire_message answer = { .type = WIRE_REFUSED };

	answer.refused.reason = reason;
	answer.refused.major = WIRE_MAJOR;
	answer.refused.minor = WIRE_MINOR;
	return answer;
}

struct wire_message refusal_of_version(const struct wire_hello *hello)
{
	struct wire_message answer = refusal(WIRE_REFUSED_VERSION);

	(void)snprintf(answer.refused.text, sizeof answer.refused.text,
		"the bridge speaks version %d.%d of the relay's protocol, the guest version "
		"%u.%u: update the older one", WIRE_MAJOR, WIRE_MINOR, (unsigned int)hello->major,
		(unsigned int)hello->minor);
	return answer;
}

struct wire_message refusal_of_guest(const struct wire_hello *hello, bool keyed)
{
	struct wire_message answer = refusal(WIRE_REFUSED_GUEST);

	answer.refused.incarnation = hello->incarnation;
	(void)snprintf(answer.refused.text, sizeof answer.refused.text,
		keyed ? "guest \"%.64s\" must have a bridge-key in its configuration, instead of "
			"auth = none"
		      : "no guest \"%.64s\" in the bridge's configuration", hello->guest);
	return answer;
}

struct wire_message refusal_of_session(uint64_t session)
{
	struct wire_message answer = refusal(WIRE_REFUSED_NO_SESSION);

	answer.session = session;
	(void)snprintf(answer.refused.text, sizeof answer.refused.text,
		"the session is over, or the bridge was started anew");
	return answer;
}
