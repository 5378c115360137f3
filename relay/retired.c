/*
 * See retired.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "relay/retired.h"

#include <stddef.h>
#include <string.h>

/* Where guest_boot is in the list; RETIRED_MAX if nowhere. */
static size_t find(const struct retired *retired, uint64_t guest_boot)
{
	size_t at = 0;

	while (at < RETIRED_MAX && retired->boots[at] != guest_boot)
		at++;
	return at;
}

bool retired_has(const struct retired *retired, uint64_t guest_boot)
{
	return find(retired, guest_boot) < RETIRED_MAX;
}

void retired_add(struct retired *retired, uint64_t guest_boot)
{
	size_t at = find(retired, guest_boot);
	size_t before = at < RETIRED_MAX ? at : RETIRED_MAX - 1;

	memmove(&retired->boots[1], &retired->boots[0], before * sizeof(retired->boots[0]));
	retired->boots[0] = guest_boot;
}

void retired_remove(struct retired *retired, uint64_t guest_boot)
{
	size_t at = find(retired, guest_boot);

	if (at < RETIRED_MAX)
		retired->boots[at] = 0;
}
