/*
 * A CAC (Common Access Card) made of libcacard, which takes keys and certificates from the first
 * removable PKCS#11 token that an NSS database knows, here one of softhsm2 (make-token).
 *
 * One card per process, since libcacard is made of global variables. Every call blocks until the
 * card has done what is asked. It refuses to be pulled: whoever wants that ends the process.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stdint.h>

#include "base/payload.h"

#define CAC_ATR_MAX 33
#define CAC_RESPONSE_MAX 65535 /* as much as vpcd carries */

struct cac {
	void *reader; /* libcacard's VReader */
	struct payload command;
	struct payload response;
};

enum {
	CAC_BAD_DATABASE = 1, /* NSS can't open it, or it knows no removable token with a certificate */
};

/* Makes the card, unpowered, of the NSS database in this folder. 0, CAC_BAD_DATABASE or fatal. */
int cac_init(struct cac *cac, const char *database);

/* May be called twice. */
void cac_deinit(struct cac *cac);

/* Power-on and reset; forgets a verified PIN. */
void cac_reset(struct cac *cac);
void cac_power_off(struct cac *cac);

/* Writes the answer to reset; returns its size. */
size_t cac_atr(struct cac *cac, uint8_t atr[CAC_ATR_MAX]);

/*
 * Executes one command. The response is borrowed until the next call; it is empty if libcacard has
 * none.
 */
struct payload_view cac_execute(struct cac *cac, struct payload_view command);
