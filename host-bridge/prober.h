/*
 * The prober role: asks one reader once for its features, says them, and ends. See features.h.
 *
 * It is a process of its own because it may have to wait for as long as another program holds the
 * card (SCardConnect waits within pcscd for the end of a transaction), and neither the monitor nor
 * a guest should wait with it. The card is neither powered nor reset for this.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#pragma once

/*
 * Sends one WIRE_READERS with that reader, of which only the name and the PIN pad count, on the
 * pipe fd. Returns the exit status of the process: not 0 if the reader could not be asked.
 */
int prober_run(int fd, const char *reader);
