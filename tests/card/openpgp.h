/*
 * As much of an OpenPGP card as GnuPG needs to show it and to keep a certificate on it: the data
 * objects of the OpenPGP Card Application 2.1 (4.4), the cardholder certificate that is written and
 * read in one extended APDU, and the admin PIN that writing needs.
 *
 * It has no keys, so that it refuses everything that would use one, and its admin PIN has no retry
 * counter. Where it isn't selected it does nothing; power and reset deselect it and forget the PIN.
 * The certificate stays.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/payload.h"
#include "tests/card/apdu.h"

#define OPENPGP_CERTIFICATE_MAX 8192

/* Version 2.1, a manufacturer number for tests (FFFE), serial number 12345678. */
#define OPENPGP_AID { 0xD2, 0x76, 0x00, 0x01, 0x24, 0x01, 0x02, 0x01, 0xFF, 0xFE, 0x12, 0x34, \
		      0x56, 0x78, 0x00, 0x00 }
#define OPENPGP_ADMIN_PIN "12345678"

struct openpgp {
	bool selected;
	bool verified; /* the admin PIN */
	struct payload certificate;
};

/* Makes it without a certificate. Fatal: -ENOMEM. */
int openpgp_init(struct openpgp *openpgp);

/* May be called twice. */
void openpgp_deinit(struct openpgp *openpgp);

/* What a change of power, or the selection of another application, does. */
void openpgp_deselect(struct openpgp *openpgp);

/* Selects it if this is its name, or the part of it that all OpenPGP cards share. */
bool openpgp_select(struct openpgp *openpgp, struct payload_view name);

/*
 * Executes a command of class 00 while it is selected: appends the data to the response, which has
 * room for them, and returns the status word.
 */
uint16_t openpgp_execute(struct openpgp *openpgp, const struct apdu *apdu,
			 struct payload *response);
