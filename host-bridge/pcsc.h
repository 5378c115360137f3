/*
 * The SCard functions that this daemon uses, as a table: the real ones of libpcsclite in the
 * monitor and the workers, ones that fail on purpose in the tests. Nothing else in the tree calls
 * an SCard function.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <winscard.h>

struct pcsc_functions {
	LONG (*establish_context)(DWORD dwScope, LPCVOID pvReserved1, LPCVOID pvReserved2,
		LPSCARDCONTEXT phContext);
	LONG (*release_context)(SCARDCONTEXT hContext);
	LONG (*list_readers)(SCARDCONTEXT hContext, LPCSTR mszGroups, LPSTR mszReaders,
		LPDWORD pcchReaders);
	LONG (*get_status_change)(SCARDCONTEXT hContext, DWORD dwTimeout,
		SCARD_READERSTATE *rgReaderStates, DWORD cReaders);
	LONG (*connect)(SCARDCONTEXT hContext, LPCSTR szReader, DWORD dwShareMode,
		DWORD dwPreferredProtocols, LPSCARDHANDLE phCard, LPDWORD pdwActiveProtocol);
	LONG (*reconnect)(SCARDHANDLE hCard, DWORD dwShareMode, DWORD dwPreferredProtocols,
		DWORD dwInitialization, LPDWORD pdwActiveProtocol);
	LONG (*disconnect)(SCARDHANDLE hCard, DWORD dwDisposition);
	LONG (*status)(SCARDHANDLE hCard, LPSTR szReaderName, LPDWORD pcchReaderLen,
		LPDWORD pdwState, LPDWORD pdwProtocol, LPBYTE pbAtr, LPDWORD pcbAtrLen);
	LONG (*begin_transaction)(SCARDHANDLE hCard);
	LONG (*end_transaction)(SCARDHANDLE hCard, DWORD dwDisposition);
	LONG (*transmit)(SCARDHANDLE hCard, const SCARD_IO_REQUEST *pioSendPci,
		LPCBYTE pbSendBuffer, DWORD cbSendLength, SCARD_IO_REQUEST *pioRecvPci,
		LPBYTE pbRecvBuffer, LPDWORD pcbRecvLength);
	LONG (*control)(SCARDHANDLE hCard, DWORD dwControlCode, LPCVOID pbSendBuffer,
		DWORD cbSendLength, LPVOID pbRecvBuffer, DWORD cbRecvLength,
		LPDWORD lpBytesReturned);
};

/* libpcsclite's. */
extern const struct pcsc_functions pcsc_native;
