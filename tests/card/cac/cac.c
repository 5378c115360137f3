/*
 * libcacard's "reader" is what a token is shown in; the card in it is made once, from the token's
 * certificates, and only its power and login state change.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "tests/card/cac/cac.h"

#include <errno.h>
#include <libcacard.h>
#include <stdio.h>

/* use_hw=removable: a token of softhsm2 is removable (make-token), but calls itself no hardware. */
#define CAC_OPTIONS "db=\"sql:%s\" use_hw=removable hw_type=CAC"

/* The first reader that has a card, or NULL. */
static VReader *cac_find_reader(void)
{
	VReaderList *list = vreader_get_reader_list();
	VReader *reader = NULL;

	for (VReaderListEntry *entry = vreader_list_get_first(list); entry != NULL && reader == NULL;
	     entry = vreader_list_get_next(entry)) {
		reader = vreader_list_get_reader(entry);
		if (vreader_card_is_present(reader) != VREADER_OK) {
			vreader_free(reader);
			reader = NULL;
		}
	}
	vreader_list_delete(list);
	return reader;
}

static int cac_open_token(struct cac *cac, const char *database)
{
	char text[512];
	VCardEmulOptions *options;
	int size = snprintf(text, sizeof(text), CAC_OPTIONS, database);

	if (size < 0 || (size_t)size >= sizeof(text))
		return CAC_BAD_DATABASE;
	options = vcard_emul_options(text);
	if (options == NULL || vcard_emul_init(options) != VCARD_EMUL_OK)
		return CAC_BAD_DATABASE;
	cac->reader = cac_find_reader();
	return cac->reader == NULL ? CAC_BAD_DATABASE : 0;
}

int cac_init(struct cac *cac, const char *database)
{
	int r;

	*cac = (struct cac){ .reader = NULL };
	r = payload_init(&cac->command, CAC_RESPONSE_MAX);
	if (r == 0)
		r = payload_init(&cac->response, CAC_RESPONSE_MAX);
	if (r == 0)
		r = cac_open_token(cac, database);
	if (r != 0)
		cac_deinit(cac);
	return r;
}

void cac_deinit(struct cac *cac)
{
	vreader_free(cac->reader);
	cac->reader = NULL;
	payload_deinit(&cac->command);
	payload_deinit(&cac->response);
}

void cac_reset(struct cac *cac)
{
	(void)vreader_power_on(cac->reader, NULL, NULL);
}

void cac_power_off(struct cac *cac)
{
	(void)vreader_power_off(cac->reader);
}

size_t cac_atr(struct cac *cac, uint8_t atr[CAC_ATR_MAX])
{
	int size = CAC_ATR_MAX;

	(void)cac;
	vcard_emul_get_atr(NULL, atr, &size);
	return (size_t)size;
}

/* The command is copied because libcacard's parameter is not const. */
struct payload_view cac_execute(struct cac *cac, struct payload_view command)
{
	int size = CAC_RESPONSE_MAX;

	payload_clear(&cac->response);
	if (payload_set(&cac->command, command) != 0 ||
	    vreader_xfr_bytes(cac->reader, cac->command.bytes, (int)cac->command.size,
			      cac->response.bytes, &size) != VREADER_OK)
		size = 0;
	cac->response.size = (size_t)size;
	payload_clear(&cac->command);
	return payload_view(&cac->response);
}
