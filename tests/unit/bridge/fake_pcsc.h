/*
 * SCard functions that answer what a test has told them, and write down how they were called.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include <stddef.h>
#include <stdint.h>

#include "host-bridge/pcsc.h"

#define FAKE_CONTEXT 0x1000
#define FAKE_HANDLE 0x2000

/* What get_status_change() does in one call. */
struct fake_change {
	LONG result;
	struct {
		const char *name;
		DWORD dwEventState;
		size_t cbAtr;
	} readers[4]; /* those not named keep their state */
};

/* What the driver says to a control code; others are unknown to it. */
struct fake_control {
	DWORD code;
	LONG result;
	uint8_t answer[64];
	DWORD size;
};

struct fake_pcsc {
	/* what each function returns */
	LONG establish;
	LONG connect;
	LONG reconnect;
	LONG disconnect;
	LONG status;
	LONG begin;
	LONG end;
	LONG transmit;
	LONG list;
	unsigned int busy;         /* so many calls are sharing violations first */

	DWORD protocol;            /* that connect and reconnect choose */
	uint8_t atr[64];
	DWORD atr_size;
	uint8_t response[300];
	DWORD response_size;

	struct fake_control controls[6]; /* as many as have a code */
	unsigned int controls_busy[6];   /* so many of each are sharing violations first */
	uint8_t controlled[128];   /* what came with the last control, and its size */
	DWORD controlled_size;

	const char *readers;       /* multi-string for list_readers() */
	size_t readers_size;
	struct fake_change change; /* what the next get_status_change() does */

	char calls[4096];          /* "connect shared T0|T1; transmit T0 5; ..." */
	DWORD receive_size;        /* of the last transmit's buffer */
	unsigned int contexts;     /* open now */
	unsigned int handles;
};

extern struct fake_pcsc fake;
extern const struct pcsc_functions fake_functions;

/* Everything succeeds, no reader is there, nothing was called. */
void fake_reset(void);

/* The calls since the last fake_reset() or fake_calls(). */
const char *fake_calls(void);
