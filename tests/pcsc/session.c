/*
 * Thin wraps around the SCard functions; the only logic is the waiting.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include "tests/pcsc/session.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SESSION_POLL_US 50000
#define READER_INDEX_SIZE 6 /* " 00 01" */

bool reader_matches(const char *pattern, const char *name)
{
	char bare[MAX_READERNAME];
	size_t length = strlen(name);

	if (fnmatch(pattern, name, 0) == 0)
		return true;
	if (length >= sizeof(bare) || length <= READER_INDEX_SIZE)
		return false;
	(void)snprintf(bare, sizeof(bare), "%s", name);
	if (fnmatch(" [0-9A-F][0-9A-F] [0-9A-F][0-9A-F]", &bare[length - READER_INDEX_SIZE], 0) !=
	    0)
		return false;
	bare[length - READER_INDEX_SIZE] = '\0';
	return fnmatch(pattern, bare, 0) == 0;
}

void session_init(struct session *session, const struct session_options *options)
{
	memset(session, 0, sizeof(*session));
	session->options = *options;
	session->timing = TIMING_NULL;
}

void session_deinit(struct session *session)
{
	if (session->connected)
		(void)session_disconnect(session, session->options.disposition);
	if (session->has_context)
		(void)SCardReleaseContext(session->context);
	session->has_context = false;
	timing_deinit(&session->timing);
}

/* Takes the reader out of SCardListReaders()' list of strings. */
static LONG session_pick_reader(struct session *session, const char *names)
{
	char *end;
	unsigned long index = strtoul(session->options.reader, &end, 10), i = 0;
	bool by_index = *end == '\0' && end != session->options.reader;

	for (const char *name = names; name[0] != '\0'; name += strlen(name) + 1, i++) {
		if (by_index ? i != index : !reader_matches(session->options.reader, name))
			continue;
		(void)snprintf(session->reader, sizeof(session->reader), "%s", name);
		return SCARD_S_SUCCESS;
	}
	return SCARD_E_UNKNOWN_READER;
}

static LONG session_find_reader(struct session *session)
{
	char names[16 * MAX_READERNAME + 1] = "";
	DWORD size = sizeof(names);
	LONG result = SCardListReaders(session->context, NULL, names, &size);

	return result == SCARD_S_SUCCESS ? session_pick_reader(session, names) : result;
}

/* One try. A context outlives its pcscd in name only, so that a failed try takes it down again. */
static LONG session_try_open(struct session *session)
{
	LONG result = SCardEstablishContext(SCARD_SCOPE_SYSTEM, NULL, NULL, &session->context);

	if (result != SCARD_S_SUCCESS)
		return result;
	session->has_context = true;
	result = session_find_reader(session);
	if (result == SCARD_S_SUCCESS)
		return result;
	(void)SCardReleaseContext(session->context);
	session->has_context = false;
	return result;
}

LONG session_open(struct session *session)
{
	uint64_t deadline = timing_now_us() + session->options.wait_ms * 1000ull;
	LONG result;

	while ((result = session_try_open(session)) != SCARD_S_SUCCESS &&
	       timing_now_us() < deadline)
		(void)usleep(SESSION_POLL_US);
	return result;
}

LONG session_wait_state(struct session *session, DWORD bits, unsigned int wait_ms)
{
	uint64_t deadline = timing_now_us() + wait_ms * 1000ull;
	SCARD_READERSTATE state = { .szReader = session->reader };
	LONG result;

	for (;;) {
		result = SCardGetStatusChange(session->context, 100, &state, 1);
		if (result != SCARD_S_SUCCESS && result != SCARD_E_TIMEOUT)
			return result;
		if (state.dwEventState & bits)
			return SCARD_S_SUCCESS;
		if (timing_now_us() >= deadline)
			return SCARD_E_TIMEOUT;
		state.dwCurrentState = state.dwEventState & ~(DWORD)SCARD_STATE_CHANGED;
	}
}

LONG session_connect(struct session *session)
{
	LONG result;

	if (session->options.wait_ms > 0)
		(void)session_wait_state(session, SCARD_STATE_PRESENT, session->options.wait_ms);
	result = SCardConnect(
		session->context, session->reader, session->options.share,
		session->options.share == SCARD_SHARE_DIRECT ? 0 : session->options.protocols,
		&session->card, &session->protocol);
	session->connected = result == SCARD_S_SUCCESS;
	return result;
}

LONG session_disconnect(struct session *session, DWORD disposition)
{
	session->connected = false;
	return SCardDisconnect(session->card, disposition);
}

LONG session_reconnect(struct session *session, DWORD initialization)
{
	return SCardReconnect(session->card, session->options.share, session->options.protocols,
			      initialization, &session->protocol);
}

LONG session_transmit(struct session *session, const uint8_t *command, size_t size)
{
	const SCARD_IO_REQUEST *pci = session->protocol == SCARD_PROTOCOL_T0 ? SCARD_PCI_T0
									      : SCARD_PCI_T1;
	DWORD received = sizeof(session->response);
	uint64_t start = timing_now_us();
	LONG result = SCardTransmit(session->card, pci, command, size, NULL, session->response,
				    &received);

	session->last_us = timing_now_us() - start;
	session->response_size = result == SCARD_S_SUCCESS ? received : 0;
	if (timing_add(&session->timing, session->last_us) != 0)
		return SCARD_E_NO_MEMORY;
	return result;
}

int session_sw(const struct session *session)
{
	if (session->response_size < 2)
		return -1;
	return session->response[session->response_size - 2] << 8 |
	       session->response[session->response_size - 1];
}
