/*
 * APDUs: the commands of the scripted card (tests/card/commands.h), and one that is harmless to any
 * card.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

#include "tests/conformance/tester.h"

/* The longest APDU that vpcd carries, and the most data in such a command and its response. */
#define CARD_APDU_MAX 65535
#define CARD_SINK_MAX 65528
#define CARD_SOURCE_MAX 65533

/* SELECT of an application that no card has: one byte string, to be sent as it is. */
#define CARD_SELECT_SIZE 11
extern const uint8_t card_select[CARD_SELECT_SIZE];

/* Any response of two bytes or more will do. */
bool card_select_works(struct tester *t);

/*
 * Makes an APDU of the scripted card's class: nc bytes of pattern(nc), ne bytes expected (0: no
 * Le). apdu has room for CARD_APDU_MAX bytes. Returns its length.
 */
size_t card_apdu(uint8_t *apdu, uint8_t ins, size_t p1p2, size_t nc, size_t ne);

/* The response has n bytes of pattern(n), and SW 9000. */
bool card_pattern_came(struct tester *t, size_t n);

/* n bytes from the card; n bytes to it; nc bytes to it and n bytes from it. */
bool card_source(struct tester *t, size_t n);
bool card_sink(struct tester *t, size_t n);
bool card_both(struct tester *t, size_t nc, size_t n);

/* Starts a command that takes so long; card_worked() takes its answer. */
bool card_start_work(struct tester *t, unsigned int ms);
bool card_worked(struct tester *t);

/* How many APDUs the card has seen since it was made, this one included. */
bool card_count(struct tester *t, uint32_t *apdus);

/* Power-ups and warm resets, together. */
bool card_count_resets(struct tester *t, uint32_t *resets);

/*
 * The card leaves after_ms later and comes back tenths of a second after that; sent, not awaited.
 */
bool card_send_leave(struct tester *t, unsigned int after_ms, unsigned int tenths);

/* A buffer for one APDU. */
extern uint8_t card_buffer[CARD_APDU_MAX + 16];
