/*
 * Every SCard call of every operation fails with every code: before it has done anything, or after
 * it has done everything. Behind the functions is a small pcscd that knows who has a context and a
 * handle, what the card has executed, and whether the guest's state is in it.
 *
 * Whatever fails: a command reaches the card at most once; each call has one reply, with an outcome
 * that the guest knows, and without data unless it says OK; what comes next works again; nothing
 * stays open; and no card is given up with the guest's state in it, unless a cleaner is asked for.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <reader.h>
#include <stdbool.h>
#include <string.h>

#include "host-bridge/card.h"

#define VERIFY_CODE 0x42330006
#define CALLS_MAX 12 /* SCard calls of the longest script, and more */

static const LONG codes[] = {
	SCARD_F_INTERNAL_ERROR, SCARD_E_CANCELLED, SCARD_E_INVALID_HANDLE,
	SCARD_E_INVALID_PARAMETER, SCARD_E_INVALID_TARGET, SCARD_E_NO_MEMORY,
	SCARD_F_WAITED_TOO_LONG, SCARD_E_INSUFFICIENT_BUFFER, SCARD_E_UNKNOWN_READER,
	SCARD_E_TIMEOUT, SCARD_E_SHARING_VIOLATION, SCARD_E_NO_SMARTCARD, SCARD_E_UNKNOWN_CARD,
	SCARD_E_CANT_DISPOSE, SCARD_E_PROTO_MISMATCH, SCARD_E_NOT_READY, SCARD_E_INVALID_VALUE,
	SCARD_E_SYSTEM_CANCELLED, SCARD_F_COMM_ERROR, SCARD_F_UNKNOWN_ERROR, SCARD_E_INVALID_ATR,
	SCARD_E_NOT_TRANSACTED, SCARD_E_READER_UNAVAILABLE, SCARD_P_SHUTDOWN,
	SCARD_E_PCI_TOO_SMALL, SCARD_E_READER_UNSUPPORTED, SCARD_E_DUPLICATE_READER,
	SCARD_E_CARD_UNSUPPORTED, SCARD_E_NO_SERVICE, SCARD_E_SERVICE_STOPPED,
	SCARD_E_UNSUPPORTED_FEATURE, SCARD_E_ICC_INSTALLATION, SCARD_E_ICC_CREATEORDER,
	SCARD_E_DIR_NOT_FOUND, SCARD_E_FILE_NOT_FOUND, SCARD_E_NO_DIR, SCARD_E_NO_FILE,
	SCARD_E_NO_ACCESS, SCARD_E_WRITE_TOO_MANY, SCARD_E_BAD_SEEK, SCARD_E_INVALID_CHV,
	SCARD_E_UNKNOWN_RES_MNG, SCARD_E_NO_SUCH_CERTIFICATE, SCARD_E_CERTIFICATE_UNAVAILABLE,
	SCARD_E_NO_READERS_AVAILABLE, SCARD_E_COMM_DATA_LOST, SCARD_E_NO_KEY_CONTAINER,
	SCARD_E_SERVER_TOO_BUSY, SCARD_W_UNSUPPORTED_CARD, SCARD_W_UNRESPONSIVE_CARD,
	SCARD_W_UNPOWERED_CARD, SCARD_W_RESET_CARD, SCARD_W_REMOVED_CARD,
	SCARD_W_SECURITY_VIOLATION, SCARD_W_WRONG_CHV, SCARD_W_CHV_BLOCKED, SCARD_W_EOF,
	SCARD_W_CANCELLED_BY_USER, SCARD_W_CARD_NOT_AUTHENTICATED, (LONG)0x8010FFFF, -1, 1,
};

/* The scripts: what the guest asks for; the call that fails is any SCard call of all this. */
enum act { END, CONNECT, RESET, TRANSMIT, SECURE, ESCAPE, DISCONNECT };

static const enum act scripts[][8] = {
	{ CONNECT, END },
	{ CONNECT, TRANSMIT, END },
	{ CONNECT, TRANSMIT, TRANSMIT, DISCONNECT, END },
	{ CONNECT, RESET, DISCONNECT, END },
	{ CONNECT, TRANSMIT, RESET, TRANSMIT, DISCONNECT, END },
	{ CONNECT, SECURE, DISCONNECT, END },
	{ CONNECT, ESCAPE, DISCONNECT, END },
	{ ESCAPE, CONNECT, TRANSMIT, DISCONNECT, END },
};

/* The small pcscd. Contexts and handles have the number of its life: a new one knows no old ones. */
static struct {
	SCARDCONTEXT life;
	unsigned int contexts;
	unsigned int handles;
	unsigned int executed; /* commands, in the call of the guest that runs */
	bool state;            /* the guest's, in the card */
	unsigned int calls;
	unsigned int fails_at;
	LONG code;
	bool after;            /* it has been done when it fails */
	bool failed;
} host;

/* What a code says about the card and about pcscd, whoever returns it. */
static void suffer(LONG code)
{
	switch (code) {
	case SCARD_F_COMM_ERROR:
	case SCARD_E_NO_SERVICE:
	case SCARD_E_SERVICE_STOPPED:
	case SCARD_E_INVALID_HANDLE:
		/* It has died, and is there again: everything is forgotten, all cards are reset. */
		host.life++;
		host.contexts = 0;
		host.handles = 0;
		host.state = false;
		break;
	case SCARD_W_RESET_CARD:
	case SCARD_W_UNPOWERED_CARD:
	case SCARD_W_REMOVED_CARD:
	case SCARD_E_NO_SMARTCARD:
	case SCARD_W_UNRESPONSIVE_CARD:
	case SCARD_W_UNSUPPORTED_CARD:
	case SCARD_E_READER_UNAVAILABLE:
	case SCARD_E_UNKNOWN_READER:
	case SCARD_E_NO_READERS_AVAILABLE:
		host.state = false;
		break;
	}
}

/* Whether this is the call that fails; now says whether before or after its work. */
static bool fails(bool after)
{
	if (!after)
		host.calls++;
	if (host.calls != host.fails_at || host.after != after)
		return false;
	host.failed = true;
	suffer(host.code);
	return true;
}

static LONG finish(void)
{
	return fails(true) ? host.code : SCARD_S_SUCCESS;
}

static LONG establish(DWORD scope, LPCVOID one, LPCVOID two, LPSCARDCONTEXT context)
{
	(void)scope;
	(void)one;
	(void)two;
	if (fails(false))
		return host.code;
	/* What it made, and has not told anybody of, libpcsclite releases by itself. */
	if (fails(true))
		return host.code;
	host.contexts++;
	*context = host.life;
	return SCARD_S_SUCCESS;
}

static LONG release(SCARDCONTEXT context)
{
	bool refused = fails(false);

	/* Even then: libpcsclite frees its part, and pcscd sees the end of the connection. */
	if (context == host.life) {
		assert_true(host.contexts > 0);
		host.contexts--;
		host.handles = 0;
	}
	return refused ? host.code : finish();
}

static LONG connect(SCARDCONTEXT context, LPCSTR reader, DWORD share, DWORD protocols,
	LPSCARDHANDLE handle, LPDWORD protocol)
{
	(void)reader;
	(void)share;
	(void)protocols;
	if (fails(false))
		return host.code;
	if (context != host.life)
		return SCARD_E_NO_SERVICE;
	host.handles++;
	*handle = (SCARDHANDLE)host.life;
	*protocol = SCARD_PROTOCOL_T1;
	return finish();
}

static bool is_alive(SCARDHANDLE handle)
{
	return handle == (SCARDHANDLE)host.life && host.handles > 0;
}

static LONG reconnect(SCARDHANDLE handle, DWORD share, DWORD protocols, DWORD initialization,
	LPDWORD protocol)
{
	(void)share;
	(void)protocols;
	if (fails(false))
		return host.code;
	if (!is_alive(handle))
		return SCARD_E_INVALID_HANDLE;
	if (initialization != SCARD_LEAVE_CARD)
		host.state = false;
	*protocol = SCARD_PROTOCOL_T1;
	return finish();
}

static LONG disconnect(SCARDHANDLE handle, DWORD disposition)
{
	if (fails(false))
		return host.code;
	if (!is_alive(handle))
		return SCARD_E_INVALID_HANDLE;
	if (disposition != SCARD_LEAVE_CARD)
		host.state = false;
	host.handles--;
	return finish();
}

static LONG status(SCARDHANDLE handle, LPSTR name, LPDWORD name_size, LPDWORD state,
	LPDWORD protocol, LPBYTE atr, LPDWORD atr_size)
{
	(void)name;
	(void)name_size;
	(void)state;
	(void)protocol;
	if (fails(false))
		return host.code;
	if (!is_alive(handle))
		return SCARD_E_INVALID_HANDLE;
	memcpy(atr, "\x3B\x00", 2);
	*atr_size = 2;
	return finish();
}

static LONG execute(LPBYTE answer, LPDWORD size)
{
	host.executed++;
	host.state = true;
	memcpy(answer, "\x90\x00", 2);
	*size = 2;
	return finish();
}

static LONG transmit(SCARDHANDLE handle, const SCARD_IO_REQUEST *sent_pci, LPCBYTE sent,
	DWORD sent_size, SCARD_IO_REQUEST *pci, LPBYTE answer, LPDWORD size)
{
	(void)sent_pci;
	(void)sent;
	(void)sent_size;
	(void)pci;
	if (fails(false))
		return host.code;
	if (!is_alive(handle))
		return SCARD_E_INVALID_HANDLE;
	return execute(answer, size);
}

static LONG control(SCARDHANDLE handle, DWORD code, LPCVOID sent, DWORD sent_size, LPVOID answer,
	DWORD room, LPDWORD size)
{
	static const uint8_t features[] = { FEATURE_VERIFY_PIN_DIRECT, 4, 0x42, 0x33, 0, 6 };

	(void)sent;
	(void)sent_size;
	(void)room;
	if (fails(false))
		return host.code;
	if (!is_alive(handle))
		return SCARD_E_INVALID_HANDLE;
	if (code == VERIFY_CODE)
		return execute(answer, size);
	*size = code == CM_IOCTL_GET_FEATURE_REQUEST ? sizeof features : 0;
	memcpy(answer, features, *size);
	return finish();
}

static const struct pcsc_functions functions = {
	.establish_context = establish,
	.release_context = release,
	.connect = connect,
	.reconnect = reconnect,
	.disconnect = disconnect,
	.status = status,
	.transmit = transmit,
	.control = control,
};

static bool wait_always(void *context, unsigned int milliseconds)
{
	(void)context;
	(void)milliseconds;
	return true;
}

/* ---- the guest ---- */

/* CCID 1.1, 6.1.11: a PIN verification, with the VERIFY command behind the PIN block's format. */
static const uint8_t pin_entry[] = {
	0x00, 30, 0x82, 0x04, 0x00, 0x08, 0x04, 0x02, 0x01, 0x09, 0x04, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x20, 0x00, 0x01, 0x08, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
};
static const uint8_t apdu[] = { 0x00, 0x20, 0x00, 0x01, 0x00 };

static struct wire_call call_of(enum act act)
{
	struct wire_call call = {
		.number = 7,
		.protocols = WIRE_PROTOCOL_T0 | WIRE_PROTOCOL_T1,
	};

	switch (act) {
	case END:
		break;
	case RESET:
		call.initialization = WIRE_RESET;
		/* fall through */
	case CONNECT:
		call.operation = WIRE_CONNECT;
		break;
	case TRANSMIT:
		call.operation = WIRE_TRANSMIT;
		call.data = (struct payload_view){ apdu, sizeof apdu };
		break;
	case SECURE:
		call.operation = WIRE_SECURE;
		call.data = (struct payload_view){ pin_entry, sizeof pin_entry };
		break;
	case ESCAPE:
		call.operation = WIRE_ESCAPE;
		call.data = (struct payload_view){ apdu, sizeof apdu };
		break;
	case DISCONNECT:
		call.operation = WIRE_DISCONNECT;
		break;
	}
	return call;
}

#define SAY(condition) \
	do { \
		if (!(condition)) \
			fail_msg("script %zu, SCard call %u fails %s its work with 0x%08lX: " \
				"not true: %s", script, host.fails_at, \
				host.after ? "after" : "before", \
				(unsigned long)host.code & 0xFFFFFFFF, #condition); \
	} while (0)

static unsigned int executes(enum act act)
{
	return act == TRANSMIT || act == SECURE;
}

static void ask(struct card *card, enum act act, size_t script)
{
	const struct wire_call call = call_of(act);
	bool failed_before = host.failed;
	struct wire_reply reply;

	host.executed = 0;
	card_call(card, &call, &reply);
	SAY(reply.number == 7);
	SAY(strcmp(wire_outcome_name(reply.outcome), "unknown") != 0);
	SAY(reply.outcome == WIRE_OK || reply.data.size == 0);
	SAY(host.executed <= 1);
	SAY(act != TRANSMIT || reply.outcome != WIRE_OK || host.executed == 1);
	SAY(act != TRANSMIT || reply.outcome != WIRE_OK || reply.data.size == 2);
	/* Of these two the guest may rely on it that nothing was executed. */
	SAY(host.executed == 0 || (reply.outcome != WIRE_NOT_CONNECTED &&
		reply.outcome != WIRE_CARD_BUSY));
	/* What fails is not a success, but for the disconnect, and for what was tried again. */
	SAY(failed_before || !host.failed || act == DISCONNECT || reply.outcome != WIRE_OK ||
		host.code == SCARD_E_SHARING_VIOLATION || act == ESCAPE);
	SAY(host.fails_at != 0 || (reply.outcome == WIRE_OK && host.executed == executes(act)));
	SAY(card->open == (reply.protocol != 0));
	SAY(card->open || host.handles == 0 || act == ESCAPE);
}

static void check_recovery(struct card *card, size_t script)
{
	struct wire_reply reply;
	const struct wire_call connect_call = call_of(CONNECT), transmit_call = call_of(TRANSMIT);

	/* Two tries: the first one may find that its handle is of a pcscd that is no more. */
	card_call(card, &connect_call, &reply);
	if (reply.outcome != WIRE_OK)
		card_call(card, &connect_call, &reply);
	SAY(reply.outcome == WIRE_OK);
	card_call(card, &transmit_call, &reply);
	SAY(reply.outcome == WIRE_OK);
}

static struct card card;

/*
 * Plays a script with one failure, to its end or up to the failure. Returns whether the call that
 * was to fail was made at all.
 */
static bool play_up_to(size_t script, unsigned int fails_at, LONG code, bool after, bool end)
{
	memset(&host, 0, sizeof host);
	host.life = 1;
	host.fails_at = fails_at;
	host.code = code;
	host.after = after;
	card_init(&card, &functions, (struct card_patience){ .wait = wait_always }, "vm1", "R");
	for (size_t i = 0; scripts[script][i] != END; i++) {
		if (card.unclean || (host.failed && !end))
			break;
		ask(&card, scripts[script][i], script);
	}
	if (host.failed && !card.unclean && end)
		check_recovery(&card, script);
	card_deinit(&card);
	SAY(host.contexts == 0);
	SAY(host.handles == 0);
	SAY(!host.state || card.unclean);
	return host.failed;
}

static bool play(size_t script, unsigned int fails_at, LONG code, bool after)
{
	bool here = play_up_to(script, fails_at, code, after, false);
	bool on = play_up_to(script, fails_at, code, after, true);

	return here && on;
}

static void test_every_failure(void **state)
{
	(void)state;
	for (size_t script = 0; script < sizeof scripts / sizeof scripts[0]; script++) {
		assert_false(play(script, 0, 0, false));
		for (unsigned int n = 1; n <= 2 * CALLS_MAX; n++) {
			for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
				(void)play(script, n, codes[i], false);
				/* This one is pcscd's word that nothing was done. */
				if (codes[i] != SCARD_E_SHARING_VIOLATION)
					(void)play(script, n, codes[i], true);
			}
		}
		/* The bound is beyond the last call. */
		assert_false(play(script, 2 * CALLS_MAX, SCARD_E_TIMEOUT, false));
	}
}

/* The failure of the reset itself: it is waited for, and then a cleaner must do it. */
static void test_refused_reset(void **state)
{
	(void)state;
	/* establish, connect, status, transmit, disconnect */
	assert_true(play(1, 5, SCARD_F_INTERNAL_ERROR, false));
	assert_true(play(2, 6, SCARD_F_INTERNAL_ERROR, false));
	assert_true(card.unclean);
	assert_true(host.state);
	assert_true(play(2, 6, SCARD_E_SHARING_VIOLATION, false));
	assert_false(card.unclean);
	assert_true(play(2, 6, SCARD_W_RESET_CARD, false));
	assert_false(card.unclean);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_failure),
		cmocka_unit_test(test_refused_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
