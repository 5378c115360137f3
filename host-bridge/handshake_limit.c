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

/* Nobody has paid for less than now; whether one more fits into what may be had at once. */
static bool may_have(uint64_t *paid_until, uint64_t now, uint64_t at_once, uint64_t every)
{
	if (*paid_until < now)
		*paid_until = now;
	return *paid_until - now <= (at_once - 1) * every;
}

struct handshake_account *handshake_limit_ask(struct handshake_limit *limit, uint32_t connection,
	uint64_t now)
{
	struct handshake_account *account = find_account(limit, connection);

	account->asked = now;
	if (!may_have(&account->paid_until, now, HANDSHAKE_AT_ONCE, HANDSHAKE_EVERY) ||
		!may_have(&limit->all_paid_until, now, HANDSHAKE_ALL, HANDSHAKE_ALL_EVERY))
		return NULL;
	return account;
}

void handshake_limit_charge(struct handshake_limit *limit, struct handshake_account *account,
	unsigned int cost)
{
	limit->all_paid_until += (uint64_t)cost * HANDSHAKE_ALL_EVERY;
	account->paid_until += (uint64_t)cost * HANDSHAKE_EVERY;
}
