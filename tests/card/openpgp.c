/*
 * The data objects are a table; 6E and 73 are put together of others when they are asked for.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "tests/card/openpgp.h"

#include <string.h>

#include "tests/card/sw.h"

/* OpenPGP Card Application 2.1, 7.2. */
enum openpgp_ins {
	OPENPGP_VERIFY = 0x20,
	OPENPGP_GENERATE_KEY_PAIR = 0x47,
	OPENPGP_GET_DATA = 0xCA,
	OPENPGP_PUT_DATA = 0xDA,
};

#define TAG_CERTIFICATE 0x7F21
#define REFERENCE_ADMIN_PIN 0x83

static const uint8_t openpgp_aid[] = OPENPGP_AID;
/* What the names of all OpenPGP cards begin with: RID and application. */
#define OPENPGP_NAME_SIZE 6

/* 6.1: extended Lc and Le. */
static const uint8_t historical_bytes[] = { 0x00, 0x73, 0x00, 0x00, 0x40, 0x05, 0x90, 0x00 };

/* 4.3.3.7: no optional function; 8,192 bytes of certificate, command and response. */
static const uint8_t extended_capabilities[] = { 0, 0, 0, 0, 0x20, 0, 0x20, 0, 0x20, 0 };

static const uint8_t rsa_2048[] = { 0x01, 0x08, 0x00, 0x00, 0x20, 0x00 };

/* 4.3.3.9: each PIN is good for several commands, has 32 bytes at most, and three tries. */
static const uint8_t pin_status[] = { 0x00, 0x20, 0x20, 0x20, 0x03, 0x03, 0x03 };

static const uint8_t zeros[60];
static const uint8_t sex_not_announced[] = { '9' };

static const struct openpgp_object {
	uint16_t tag;
	uint16_t parent; /* the template that it is in, 0 if in none */
	uint8_t size;
	const void *bytes; /* NULL: a template */
} openpgp_objects[] = {
	{ 0x5E, 0, 5, "relay" },
	{ 0x5F50, 0, 23, "https://example.org/key" },
	{ 0x65, 0, 0, NULL },
	{ 0x5B, 0x65, 12, "Relay<<Smart" },
	{ 0x5F2D, 0x65, 2, "en" },
	{ 0x5F35, 0x65, sizeof(sex_not_announced), sex_not_announced },
	{ 0x6E, 0, 0, NULL },
	{ 0x4F, 0x6E, sizeof(openpgp_aid), openpgp_aid },
	{ 0x5F52, 0x6E, sizeof(historical_bytes), historical_bytes },
	{ 0x73, 0x6E, 0, NULL },
	{ 0xC0, 0x73, sizeof(extended_capabilities), extended_capabilities },
	{ 0xC1, 0x73, sizeof(rsa_2048), rsa_2048 },
	{ 0xC2, 0x73, sizeof(rsa_2048), rsa_2048 },
	{ 0xC3, 0x73, sizeof(rsa_2048), rsa_2048 },
	{ 0xC4, 0x73, sizeof(pin_status), pin_status },
	{ 0xC5, 0x73, 60, zeros }, /* fingerprints: there are no keys */
	{ 0xC6, 0x73, 60, zeros },
	{ 0xCD, 0x73, 12, zeros },
	{ 0x7A, 0, 0, NULL },
	{ 0x93, 0x7A, 3, zeros },
};

#define OPENPGP_OBJECTS (sizeof(openpgp_objects) / sizeof(openpgp_objects[0]))

int openpgp_init(struct openpgp *openpgp)
{
	*openpgp = (struct openpgp){ .selected = false };
	return payload_init(&openpgp->certificate, OPENPGP_CERTIFICATE_MAX);
}

void openpgp_deinit(struct openpgp *openpgp)
{
	payload_deinit(&openpgp->certificate);
}

void openpgp_deselect(struct openpgp *openpgp)
{
	openpgp->selected = false;
	openpgp->verified = false;
}

bool openpgp_select(struct openpgp *openpgp, struct payload_view name)
{
	openpgp_deselect(openpgp);
	openpgp->selected = name.size >= OPENPGP_NAME_SIZE && name.size <= sizeof(openpgp_aid) &&
			    memcmp(name.bytes, openpgp_aid, name.size) == 0;
	return openpgp->selected;
}

static void openpgp_put(struct payload *response, const void *bytes, size_t size)
{
	(void)payload_append(response, (struct payload_view){ .bytes = bytes, .size = size });
}

/* ISO/IEC 8825-1: a tag of one or two bytes, a length below 256. */
static void openpgp_put_header(struct payload *response, uint16_t tag, size_t size)
{
	const uint8_t bytes[] = { (uint8_t)(tag >> 8), (uint8_t)(tag & 0xFF), 0x81, (uint8_t)size };

	openpgp_put(response, &bytes[tag > 0xFF ? 0 : 1], tag > 0xFF ? 2 : 1);
	openpgp_put(response, &bytes[size > 0x7F ? 2 : 3], size > 0x7F ? 2 : 1);
}

static size_t openpgp_header_size(uint16_t tag, size_t size)
{
	return (tag > 0xFF ? 2u : 1u) + (size > 0x7F ? 2u : 1u);
}

/* The size of an object's value; templates contain templates, but not themselves. */
static size_t openpgp_size(const struct openpgp_object *object)
{
	size_t size = object->size, part;

	for (size_t i = 0; object->bytes == NULL && i < OPENPGP_OBJECTS; i++) {
		if (openpgp_objects[i].parent != object->tag)
			continue;
		part = openpgp_size(&openpgp_objects[i]);
		size += openpgp_header_size(openpgp_objects[i].tag, part) + part;
	}
	return size;
}

static void openpgp_put_value(struct payload *response, const struct openpgp_object *object)
{
	const struct openpgp_object *part;

	if (object->bytes != NULL) {
		openpgp_put(response, object->bytes, object->size);
		return;
	}
	for (size_t i = 0; i < OPENPGP_OBJECTS; i++) {
		part = &openpgp_objects[i];
		if (part->parent != object->tag)
			continue;
		openpgp_put_header(response, part->tag, openpgp_size(part));
		openpgp_put_value(response, part);
	}
}

/* 7.2.6 */
static uint16_t openpgp_get_data(struct openpgp *openpgp, uint16_t tag, struct payload *response)
{
	if (tag == TAG_CERTIFICATE) {
		(void)payload_append(response, payload_view(&openpgp->certificate));
		return SW_OK;
	}
	for (size_t i = 0; i < OPENPGP_OBJECTS; i++) {
		if (openpgp_objects[i].tag == tag) {
			openpgp_put_value(response, &openpgp_objects[i]);
			return SW_OK;
		}
	}
	return SW_NO_REFERENCE;
}

/* 7.2.8 */
static uint16_t openpgp_put_data(struct openpgp *openpgp, uint16_t tag, struct payload_view data)
{
	if (!openpgp->verified)
		return SW_PIN_MISSING;
	if (tag != TAG_CERTIFICATE)
		return SW_NO_REFERENCE;
	return payload_set(&openpgp->certificate, data) == 0 ? SW_OK : SW_WRONG_LENGTH;
}

/* 7.2.2; without data: the state. */
static uint16_t openpgp_verify(struct openpgp *openpgp, const struct apdu *apdu)
{
	const struct payload_view pin = apdu->data;

	if (apdu_p1p2(apdu) != REFERENCE_ADMIN_PIN)
		return SW_NO_REFERENCE;
	if (pin.size > 0)
		openpgp->verified = pin.size == strlen(OPENPGP_ADMIN_PIN) &&
				    memcmp(pin.bytes, OPENPGP_ADMIN_PIN, pin.size) == 0;
	return openpgp->verified ? SW_OK : SW_PIN_MISSING;
}

uint16_t openpgp_execute(struct openpgp *openpgp, const struct apdu *apdu,
			 struct payload *response)
{
	switch (apdu->ins) {
	case OPENPGP_GET_DATA:
		return openpgp_get_data(openpgp, apdu_p1p2(apdu), response);
	case OPENPGP_PUT_DATA:
		return openpgp_put_data(openpgp, apdu_p1p2(apdu), apdu->data);
	case OPENPGP_VERIFY:
		return openpgp_verify(openpgp, apdu);
	case OPENPGP_GENERATE_KEY_PAIR: /* reading one: there is none */
		return SW_NO_REFERENCE;
	default:
		return SW_WRONG_INS;
	}
}
