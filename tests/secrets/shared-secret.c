/*
 * shared-secret KEY-FILE PUBLIC-KEY: prints what X25519 makes of a private key and another's public one, in
 * hexadecimal: the secret of two static keys, which a handshake has in memory for a moment (ss of Noise).
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "relay/key.h"
#include "relay/key_file.h"

int main(int argc, char **argv)
{
	char why[KEY_FILE_WHY_MAX], hex[2 * KEY_SIZE + 1];
	struct private_key private;
	struct public_key public;
	uint8_t secret[KEY_SIZE];

	if (argc != 3 || sodium_init() < 0)
		return EXIT_FAILURE;
	if (key_file_read(argv[1], &private, why) != 0 || key_public_from_text(argv[2], &public) != 0 ||
	    crypto_scalarmult(secret, private.bytes, public.bytes) != 0) {
		(void)fputs("shared-secret: bad keys\n", stderr);
		return EXIT_FAILURE;
	}
	(void)puts(sodium_bin2hex(hex, sizeof hex, secret, sizeof secret));
	return EXIT_SUCCESS;
}
