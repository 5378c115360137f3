/*
 * The audit log. See audit.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "host-bridge/audit.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "relay/wire.h"

static const char *const names[AUDIT_EVENTS] = {
	[AUDIT_VERIFIED] = "verified",
	[AUDIT_WRONG] = "wrong",
	[AUDIT_BLOCKED] = "blocked",
	[AUDIT_FAILED] = "failed",
	[AUDIT_REJECTED] = "rejected",
	[AUDIT_LOST] = "lost",
	[AUDIT_UNSENT] = "unsent",
	[AUDIT_REFUSED] = "refused",
	[AUDIT_SESSION_OPEN] = "session-open",
	[AUDIT_SESSION_CONTESTED] = "session-contested",
	[AUDIT_CARD_OPENED] = "card-opened",
	[AUDIT_CARD_CLOSED] = "card-closed",
	[AUDIT_REFUSED_CALL] = "refused-call",
};

/* ---- the limit ---- */

static bool is_verification(enum audit_event event)
{
	return event <= AUDIT_REFUSED;
}

void audit_flush(struct audit *audit, uint64_t now)
{
	char text[LOG_LINE_MAX] = "";
	size_t used = 0;

	for (size_t i = 0; i < AUDIT_EVENTS && audit->any_left_out; i++) {
		int n = snprintf(&text[used], sizeof text - used, "%s=%" PRIu64 " ", names[i],
			audit->left_out[i]);

		if (n > 0 && (size_t)n < sizeof text - used)
			used += (size_t)n;
	}
	if (audit->any_left_out)
		log_warning(audit->guest, "audit: event=left-out seconds=%" PRIu64 " %sguest=\"%s\"",
			(now - audit->began + 999) / 1000, text, audit->guest);
	memset(audit->left_out, 0, sizeof audit->left_out);
	audit->any_left_out = false;
	audit->lines = 0;
	audit->verifications = 0;
}

void audit_tick(struct audit *audit, uint64_t now)
{
	if (now - audit->began < AUDIT_INTERVAL)
		return;
	audit_flush(audit, now);
	audit->began = now;
}

uint64_t audit_deadline(const struct audit *audit)
{
	return audit->any_left_out ? audit->began + AUDIT_INTERVAL : AUDIT_NEVER;
}

static void audit_leave_out(struct audit *audit, enum audit_event event)
{
	audit->left_out[event]++;
	audit->any_left_out = true;
}

/* Whether there is a line for this. */
static bool audit_may(struct audit *audit, uint64_t now, enum audit_event event)
{
	bool may;

	audit_tick(audit, now);
	if (is_verification(event))
		may = ++audit->verifications <= AUDIT_VERIFICATIONS;
	else
		may = ++audit->lines <= AUDIT_LINES;
	if (!may)
		audit_leave_out(audit, event);
	return may;
}

/* ---- lines ---- */

/* A name within quotes: it comes from a device, or a configuration, and can't end them. */
struct quoted {
	char text[WIRE_NAME_MAX];
};

static struct quoted quote(const char *name)
{
	struct quoted quoted;

	(void)snprintf(quoted.text, sizeof quoted.text, "%s", name);
	for (char *c = quoted.text; *c != '\0'; c++) {
		if (*c == '"' || *c == '\\')
			*c = '?';
	}
	return quoted;
}

static void audit_line(struct audit *audit, uint64_t now, enum audit_event event, const char *reader,
	const char *format, ...) __attribute__((format(printf, 5, 6)));

static void audit_line(struct audit *audit, uint64_t now, enum audit_event event, const char *reader,
	const char *format, ...)
{
	struct quoted guest = quote(audit->guest);
	struct quoted quoted = quote(reader);
	char text[LOG_LINE_MAX / 2];
	va_list args;

	if (!audit_may(audit, now, event))
		return;
	va_start(args, format);
	(void)vsnprintf(text, sizeof text, format, args);
	va_end(args);
	log_info(audit->guest, "audit: event=%s%s guest=\"%s\"%s%s%s",
		is_verification(event) ? "verification" : names[event], text, guest.text,
		reader[0] != '\0' ? " reader=\"" : "", quoted.text, reader[0] != '\0' ? "\"" : "");
}

void audit_init(struct audit *audit, const char *guest)
{
	*audit = (struct audit){ .guest = guest };
}

void audit_session_open(struct audit *audit, uint64_t now, const struct bridge_guest_config *policy)
{
	audit_line(audit, now, AUDIT_SESSION_OPEN, "", " share=%s pin-pad=%s escape=%s pin-guard=%u",
		share_name(policy->share.mode), policy->pin_pad ? "yes" : "no",
		policy->escape ? "yes" : "no", policy->pin_guard);
}

void audit_session_contested(struct audit *audit, uint64_t now)
{
	audit_tick(audit, now);
	if (audit->contested != 0 && now - audit->contested < AUDIT_CONTESTED_INTERVAL) {
		audit_leave_out(audit, AUDIT_SESSION_CONTESTED);
		return;
	}
	audit->contested = now;
	audit_line(audit, now, AUDIT_SESSION_CONTESTED, "", "%s", "");
}

void audit_card_opened(struct audit *audit, uint64_t now, const char *reader, unsigned int protocol)
{
	audit_line(audit, now, AUDIT_CARD_OPENED, reader, " protocol=T%u", protocol);
}

void audit_card_closed(struct audit *audit, uint64_t now, const char *reader)
{
	audit_line(audit, now, AUDIT_CARD_CLOSED, reader, "%s", "");
}

void audit_verification(struct audit *audit, uint64_t now, const char *reader,
	const struct audit_verification *verification)
{
	const struct pin_command *command = verification->command;
	char tries[24] = "", sw[16] = "";

	if (verification->tries >= 0)
		(void)snprintf(tries, sizeof tries, " tries=%d", verification->tries);
	if (verification->sw != 0)
		(void)snprintf(sw, sizeof sw, " sw=%04X", verification->sw);
	audit_line(audit, now, verification->result, reader,
		" command=%s reference=%02X result=%s%s%s%s", pin_command_name(command),
		command->reference, names[verification->result], tries, sw,
		command->pin_pad ? " pin-pad=yes" : "");
}

void audit_refused_call(struct audit *audit, uint64_t now, const char *reader, const char *call,
	const char *why)
{
	audit_line(audit, now, AUDIT_REFUSED_CALL, reader, " call=%s why=%s", call, why);
}
