/*
 * See handshake_limit.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "host-bridge/handshake_limit.h"

#include <stddef.h>

/* The account of this connection; or a free one, or that of the one silent for longest, made its. */
static struct handshake_account *find_account(struct handshake_limit *limit, uint32_t connection)
{
	struct handshake_account *oldest = &limit->accounts[0];

	for (size_t i = 0; i < HANDSHAKE_CONNECTIONS; i++) {
		struct handshake_account *account = &limit->accounts[i];

		if (account->paid_until != 0 && account->connection == connection)
			return account;
		if (oldest->paid_until != 0 &&
			(account->paid_until == 0 || account->asked < oldest->asked))
			oldest = account;
	}
	*oldest = (struct handshake_account){ .connection = connection };
	return oldest;
}

struct handshake_account *handshake_limit_ask(struct handshake_limit *limit, uint32_t connection,
	uint64_t now)
{
	struct handshake_account *account = find_account(limit, connection);

	account->asked = now;
	if (account->paid_until < now)
		account->paid_until = now;
	return account->paid_until - now <= (HANDSHAKE_AT_ONCE - 1) * HANDSHAKE_EVERY ? account :
		NULL;
}

void handshake_limit_charge(struct handshake_account *account, unsigned int cost)
{
	account->paid_until += (uint64_t)cost * HANDSHAKE_EVERY;
}
