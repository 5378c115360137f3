/*
 * Header, Lc and data, Le.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "tests/pcsc/command.h"

/* A maximum of the form is written as zero, which is what the cut to its width makes of it. */
static void command_le(const struct command *command, struct cursor_out *out)
{
	if (!command->extended) {
		out_u8(out, (uint8_t)(command->ne & 0xFF));
		return;
	}
	if (command->nc == 0)
		out_u8(out, 0);
	out_be16(out, (uint16_t)(command->ne & 0xFFFF));
}

int command_encode(const struct command *command, struct cursor_out *out)
{
	if (command->nc > (command->extended ? 65535u : 255u) ||
	    command->ne > (command->extended ? 65536u : 256u))
		return COMMAND_UNENCODABLE;
	out_u8(out, command->cla);
	out_u8(out, command->ins);
	out_be16(out, command->p1p2);
	if (command->nc > 0 && command->extended) {
		out_u8(out, 0);
		out_be16(out, (uint16_t)command->nc);
	} else if (command->nc > 0) {
		out_u8(out, (uint8_t)command->nc);
	}
	out_bytes(out, command->data, command->nc);
	if (command->ne > 0)
		command_le(command, out);
	return out_ok(out) ? 0 : COMMAND_UNENCODABLE;
}

const char *command_case(const struct command *command)
{
	static const char *const names[2][2][2] = {
		{ { "1", "1" }, { "2S", "2E" } },
		{ { "3S", "3E" }, { "4S", "4E" } },
	};

	return names[command->nc > 0][command->ne > 0][command->extended];
}
