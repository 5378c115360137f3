/*
 * libpcsclite's SCard functions. See pcsc.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "host-bridge/pcsc.h"

const struct pcsc_functions pcsc_native = {
	.establish_context = SCardEstablishContext,
	.release_context = SCardReleaseContext,
	.list_readers = SCardListReaders,
	.get_status_change = SCardGetStatusChange,
	.connect = SCardConnect,
	.reconnect = SCardReconnect,
	.disconnect = SCardDisconnect,
	.status = SCardStatus,
	.begin_transaction = SCardBeginTransaction,
	.end_transaction = SCardEndTransaction,
	.transmit = SCardTransmit,
	.control = SCardControl,
};
