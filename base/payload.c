/*
 * Owned payloads: a buffer of fixed capacity that leaves nothing behind. See payload.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "base/payload.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

int payload_init(struct payload *payload, size_t capacity)
{
	*payload = PAYLOAD_NULL;
	payload->bytes = malloc(capacity > 0 ? capacity : 1);
	if (payload->bytes == NULL)
		return -ENOMEM;
	payload->capacity = capacity;
	return 0;
}

void payload_deinit(struct payload *payload)
{
	payload_clear(payload);
	free(payload->bytes);
	*payload = PAYLOAD_NULL;
}

void payload_clear(struct payload *payload)
{
	payload_wipe(payload->bytes, payload->size);
	payload->size = 0;
}

int payload_append(struct payload *payload, struct payload_view more)
{
	if (more.size > payload->capacity - payload->size)
		return PAYLOAD_FULL;
	if (more.size > 0)
		memcpy(payload->bytes + payload->size, more.bytes, more.size);
	payload->size += more.size;
	return 0;
}

int payload_set(struct payload *payload, struct payload_view content)
{
	if (content.size > payload->capacity)
		return PAYLOAD_FULL;
	payload_clear(payload);
	return payload_append(payload, content);
}

struct payload_view payload_view(const struct payload *payload)
{
	return (struct payload_view){ .bytes = payload->bytes, .size = payload->size };
}

void payload_wipe(void *bytes, size_t size)
{
	if (size > 0)
		sodium_memzero(bytes, size);
}
