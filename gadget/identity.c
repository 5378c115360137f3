/*
 * The identity of the USB device that stands for a host's reader. See identity.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "gadget/identity.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "relay/pattern.h"

/* drivers refuse what they take for bogus firmware by bcdDevice; 1.00 is refused by none */
#define BCD_DEVICE 0x0100

/*
 * pcscd builds its name from libccid's, "[interface string]", "(serial)" and the index, and cuts the
 * whole at 127 characters: what is longer than this would push the index out.
 */
#define INTERFACE_MAX 64

#define SERIAL_BYTES 6

/*
 * Twelve hexadecimal digits that no other reader of this or another guest is likely to have. pcscd's
 * number of the reader is left out: it changes with the order of plugging.
 */
static void identity_serial(char *serial, size_t size, const char *guest, const char *host_name,
	unsigned int ordinal)
{
	size_t length = pattern_base_length(host_name);
	crypto_generichash_state state;
	unsigned char hash[crypto_generichash_BYTES_MIN];
	char which[32];

	(void)crypto_generichash_init(&state, NULL, 0, sizeof(hash));
	(void)crypto_generichash_update(&state, (const unsigned char *)guest, strlen(guest) + 1);
	(void)crypto_generichash_update(&state, (const unsigned char *)host_name, length);
	(void)snprintf(which, sizeof(which), "%s %u", pattern_slot(host_name), ordinal);
	(void)crypto_generichash_update(&state, (const unsigned char *)which, strlen(which));
	(void)crypto_generichash_final(&state, hash, sizeof(hash));
	for (size_t i = 0; i < SERIAL_BYTES && 2 * i + 2 < size; i++)
		(void)snprintf(&serial[2 * i], 3, "%02X", hash[i]);
}

static void identity_interface(char *interface, const char *host_name)
{
	size_t length = pattern_base_length(host_name);

	if (length > INTERFACE_MAX)
		length = INTERFACE_MAX;
	for (size_t i = 0; i < length; i++)
		interface[i] = host_name[i] >= ' ' && host_name[i] <= '~' ? host_name[i] : '.';
	interface[length] = '\0';
}

struct usb_identity identity_make(const struct config_reader *config, const char *guest,
	const char *host_name, unsigned int ordinal)
{
	struct usb_identity identity = {
		.idVendor = config->vendor,
		.idProduct = config->product,
		.bcdDevice = BCD_DEVICE,
		.manufacturer = "ccid-relay",
		.product = "Shared Smart Card Reader",
	};

	if (config->serial[0] != '\0')
		(void)snprintf(identity.serial, sizeof(identity.serial), "%s", config->serial);
	else
		identity_serial(identity.serial, sizeof(identity.serial), guest, host_name,
			ordinal);
	identity_interface(identity.interface, host_name);
	return identity;
}
