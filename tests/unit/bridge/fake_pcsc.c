/*
 * Scripted SCard functions. See fake_pcsc.h.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "tests/unit/bridge/fake_pcsc.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct fake_pcsc fake;

static void note(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void note(const char *format, ...)
{
	size_t used = strlen(fake.calls);
	va_list args;

	/* More than any test looks at. */
	if (used + 200 > sizeof fake.calls)
		return;
	if (used > 0)
		used += (size_t)snprintf(&fake.calls[used], sizeof fake.calls - used, "; ");
	va_start(args, format);
	(void)vsnprintf(&fake.calls[used], sizeof fake.calls - used, format, args);
	va_end(args);
}

static const char *protocols_name(DWORD protocols)
{
	static const char *const names[] = { "none", "T0", "T1", "T0|T1" };

	return protocols < 4 ? names[protocols] : "?";
}

static const char *disposition_name(DWORD disposition)
{
	static const char *const names[] = { "leave", "reset", "unpower", "eject" };

	return disposition < 4 ? names[disposition] : "?";
}

static const char *share_name(DWORD share)
{
	static const char *const names[] = { "not shared", "exclusive", "shared", "direct" };

	return names[share & 3];
}

static int is_busy(void)
{
	if (fake.busy == 0)
		return 0;
	fake.busy--;
	return 1;
}

static LONG fake_establish(DWORD dwScope, LPCVOID one, LPCVOID two, LPSCARDCONTEXT phContext)
{
	(void)one;
	(void)two;
	note(dwScope == SCARD_SCOPE_SYSTEM ? "establish" : "establish in a wrong scope");
	if (fake.establish != SCARD_S_SUCCESS)
		return fake.establish;
	fake.contexts++;
	*phContext = FAKE_CONTEXT;
	return SCARD_S_SUCCESS;
}

static LONG fake_release(SCARDCONTEXT hContext)
{
	note(hContext == FAKE_CONTEXT ? "release" : "release of no context");
	fake.contexts--;
	return SCARD_S_SUCCESS;
}

static LONG fake_list(SCARDCONTEXT hContext, LPCSTR groups, LPSTR mszReaders, LPDWORD pcchReaders)
{
	(void)groups;
	note(hContext == FAKE_CONTEXT ? "list" : "list of no context");
	if (fake.list != SCARD_S_SUCCESS)
		return fake.list;
	if (fake.readers_size > *pcchReaders)
		return SCARD_E_INSUFFICIENT_BUFFER;
	memcpy(mszReaders, fake.readers, fake.readers_size);
	*pcchReaders = fake.readers_size;
	return SCARD_S_SUCCESS;
}

static LONG fake_change(SCARDCONTEXT hContext, DWORD dwTimeout, SCARD_READERSTATE *states,
	DWORD count)
{
	note("wait %lu ms for %lu%s", (unsigned long)dwTimeout, (unsigned long)count,
		count > 0 && strstr(states[count - 1].szReader, "PnP") != NULL ? " with PnP" : "");
	(void)hContext;
	for (size_t i = 0; i < count; i++) {
		states[i].dwEventState = states[i].dwCurrentState;
		for (size_t j = 0; j < 4 && fake.change.readers[j].name != NULL; j++) {
			if (strcmp(fake.change.readers[j].name, states[i].szReader) != 0)
				continue;
			states[i].dwEventState = fake.change.readers[j].dwEventState;
			states[i].cbAtr = fake.change.readers[j].cbAtr;
			memset(states[i].rgbAtr, 0x3B, sizeof states[i].rgbAtr);
		}
	}
	return fake.change.result;
}

static LONG fake_connect(SCARDCONTEXT hContext, LPCSTR szReader, DWORD dwShareMode,
	DWORD dwPreferredProtocols, LPSCARDHANDLE phCard, LPDWORD pdwActiveProtocol)
{
	(void)hContext;
	note("connect %s %s %s", szReader, share_name(dwShareMode),
		protocols_name(dwPreferredProtocols));
	if (fake.connect != SCARD_S_SUCCESS)
		return fake.connect;
	fake.handles++;
	*phCard = FAKE_HANDLE;
	*pdwActiveProtocol = fake.protocol;
	return SCARD_S_SUCCESS;
}

static LONG fake_reconnect(SCARDHANDLE hCard, DWORD dwShareMode, DWORD dwPreferredProtocols,
	DWORD dwInitialization, LPDWORD pdwActiveProtocol)
{
	(void)hCard;
	note("reconnect %s %s %s", share_name(dwShareMode), protocols_name(dwPreferredProtocols), disposition_name(dwInitialization));
	if (is_busy())
		return SCARD_E_SHARING_VIOLATION;
	if (fake.reconnect == SCARD_S_SUCCESS)
		*pdwActiveProtocol = fake.protocol;
	return fake.reconnect;
}

static LONG fake_disconnect(SCARDHANDLE hCard, DWORD dwDisposition)
{
	LONG result = fake.disconnect;

	note(hCard == FAKE_HANDLE ? "disconnect %s" : "disconnect of no handle, %s",
		disposition_name(dwDisposition));
	/* One that was refused is tried again; that must not fail for ever. */
	fake.disconnect = SCARD_S_SUCCESS;
	if (result == SCARD_S_SUCCESS)
		fake.handles--;
	return result;
}

static LONG fake_status(SCARDHANDLE hCard, LPSTR name, LPDWORD name_size, LPDWORD state,
	LPDWORD protocol, LPBYTE pbAtr, LPDWORD pcbAtrLen)
{
	(void)hCard;
	(void)name;
	(void)name_size;
	(void)state;
	(void)protocol;
	if (is_busy())
		return SCARD_E_SHARING_VIOLATION;
	if (fake.status != SCARD_S_SUCCESS)
		return fake.status;
	if (fake.atr_size <= *pcbAtrLen)
		memcpy(pbAtr, fake.atr, fake.atr_size);
	*pcbAtrLen = fake.atr_size;
	return SCARD_S_SUCCESS;
}

static LONG fake_transmit(SCARDHANDLE hCard, const SCARD_IO_REQUEST *pioSendPci,
	LPCBYTE pbSendBuffer, DWORD cbSendLength, SCARD_IO_REQUEST *pioRecvPci,
	LPBYTE pbRecvBuffer, LPDWORD pcbRecvLength)
{
	(void)hCard;
	(void)pbSendBuffer;
	(void)pioRecvPci;
	note("transmit %s %lu", protocols_name(pioSendPci->dwProtocol),
		(unsigned long)cbSendLength);
	fake.receive_size = *pcbRecvLength;
	if (is_busy())
		return SCARD_E_SHARING_VIOLATION;
	if (fake.transmit != SCARD_S_SUCCESS)
		return fake.transmit;
	memcpy(pbRecvBuffer, fake.response, fake.response_size);
	*pcbRecvLength = fake.response_size;
	return SCARD_S_SUCCESS;
}

static LONG fake_begin(SCARDHANDLE hCard)
{
	note(hCard == FAKE_HANDLE ? "begin" : "begin with no handle");
	return fake.begin;
}

static LONG fake_end(SCARDHANDLE hCard, DWORD dwDisposition)
{
	note(hCard == FAKE_HANDLE ? "end %s" : "end with no handle, %s",
		disposition_name(dwDisposition));
	return fake.end;
}

static struct fake_control *find_control(DWORD code)
{
	for (size_t i = 0; i < sizeof fake.controls / sizeof fake.controls[0]; i++) {
		if (fake.controls[i].code != 0 && fake.controls[i].code == code)
			return &fake.controls[i];
	}
	return NULL;
}

static LONG fake_control(SCARDHANDLE hCard, DWORD dwControlCode, LPCVOID pbSendBuffer,
	DWORD cbSendLength, LPVOID pbRecvBuffer, DWORD cbRecvLength, LPDWORD lpBytesReturned)
{
	struct fake_control *control = find_control(dwControlCode);

	note("control %lX %lu%s", (unsigned long)dwControlCode, (unsigned long)cbSendLength,
		hCard == FAKE_HANDLE ? "" : " of no handle");
	if (is_busy())
		return SCARD_E_SHARING_VIOLATION;
	if (control == NULL)
		return SCARD_E_UNSUPPORTED_FEATURE;
	if (fake.controls_busy[control - fake.controls] > 0) {
		fake.controls_busy[control - fake.controls]--;
		return SCARD_E_SHARING_VIOLATION;
	}
	fake.controlled_size = 0;
	if (cbSendLength > 0 && cbSendLength <= sizeof fake.controlled) {
		memcpy(fake.controlled, pbSendBuffer, cbSendLength);
		fake.controlled_size = cbSendLength;
	}
	if (control->size <= sizeof control->answer && control->size <= cbRecvLength)
		memcpy(pbRecvBuffer, control->answer, control->size);
	*lpBytesReturned = control->size;
	return control->result;
}

const struct pcsc_functions fake_functions = {
	.establish_context = fake_establish,
	.release_context = fake_release,
	.list_readers = fake_list,
	.get_status_change = fake_change,
	.connect = fake_connect,
	.reconnect = fake_reconnect,
	.disconnect = fake_disconnect,
	.status = fake_status,
	.begin_transaction = fake_begin,
	.end_transaction = fake_end,
	.transmit = fake_transmit,
	.control = fake_control,
};

void fake_reset(void)
{
	memset(&fake, 0, sizeof fake);
	fake.protocol = SCARD_PROTOCOL_T1;
	fake.atr[0] = 0x3B;
	fake.atr_size = 2;
	fake.response[0] = 0x90;
	fake.response_size = 2;
	fake.readers = "";
	fake.readers_size = 1;
}

const char *fake_calls(void)
{
	static char calls[sizeof fake.calls];

	memcpy(calls, fake.calls, sizeof calls);
	fake.calls[0] = '\0';
	return calls;
}
