/*
 * A driver for the host's pcscd that has several readers, each of them a vpcd.
 *
 * vpcd keeps its state by slot number only, so that each of its readers needs a copy of the file; but
 * pcscd numbers the readers of one file. Real readers have one driver, libccid: "Alpha 00 00" and
 * "Twin 01 00" change their numbers with the order in which pcscd finds them. This is that one file: it
 * loads a copy of vpcd for each reader and passes everything on.
 *
 * DEVICENAME /dev/null:0x8C7B stands for the copy "0x8C7B.so" in the folder that the environment
 * variable MANY_VPCD names. There is one slot to a reader.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */

#include <PCSC/wintypes.h>

#include <PCSC/pcsclite.h>
#include <PCSC/ifdhandler.h>
#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define READERS_MAX 16
#define LUN_SHIFT 16 /* the reader is in the upper half, its slot in the lower */

/* The functions of a copy, of which there is one for each reader. */
struct copy {
	void *file;
	RESPONSECODE (*create)(DWORD, LPSTR);
	RESPONSECODE (*close)(DWORD);
	RESPONSECODE (*get_capabilities)(DWORD, DWORD, PDWORD, PUCHAR);
	RESPONSECODE (*set_protocol)(DWORD, DWORD, UCHAR, UCHAR, UCHAR, UCHAR);
	RESPONSECODE (*power)(DWORD, DWORD, PUCHAR, PDWORD);
	RESPONSECODE (*transmit)(DWORD, SCARD_IO_HEADER, PUCHAR, DWORD, PUCHAR, PDWORD, PSCARD_IO_HEADER);
	RESPONSECODE (*presence)(DWORD);
};

static struct copy copies[READERS_MAX];

static struct copy *copy_of(DWORD Lun)
{
	return &copies[Lun >> LUN_SHIFT & (READERS_MAX - 1)];
}

/* The address of a function, by way of memory: ISO C has no cast from an object's to a function's. */
static bool find(void *file, const char *name, void *function)
{
	void *found = dlsym(file, name);

	memcpy(function, &found, sizeof(found));
	return found != NULL;
}

static bool copy_load(struct copy *copy, const char *path)
{
	copy->file = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	return copy->file != NULL && find(copy->file, "IFDHCreateChannelByName", &copy->create) &&
		find(copy->file, "IFDHCloseChannel", &copy->close) &&
		find(copy->file, "IFDHGetCapabilities", &copy->get_capabilities) &&
		find(copy->file, "IFDHSetProtocolParameters", &copy->set_protocol) &&
		find(copy->file, "IFDHPowerICC", &copy->power) &&
		find(copy->file, "IFDHTransmitToICC", &copy->transmit) &&
		find(copy->file, "IFDHICCPresence", &copy->presence);
}

RESPONSECODE IFDHCreateChannelByName(DWORD Lun, LPSTR DeviceName)
{
	const char *folder = getenv("MANY_VPCD"), *port = strchr(DeviceName, ':');
	struct copy *copy = copy_of(Lun);
	char path[512];

	if (folder == NULL || port == NULL)
		return IFD_NO_SUCH_DEVICE;
	(void)snprintf(path, sizeof(path), "%s/%s.so", folder, port + 1);
	return copy_load(copy, path) ? copy->create(0, DeviceName) : IFD_NO_SUCH_DEVICE;
}

RESPONSECODE IFDHCreateChannel(DWORD Lun, DWORD Channel)
{
	(void)Lun;
	(void)Channel;
	return IFD_NO_SUCH_DEVICE;
}

RESPONSECODE IFDHCloseChannel(DWORD Lun)
{
	return copy_of(Lun)->close(0);
}

RESPONSECODE IFDHGetCapabilities(DWORD Lun, DWORD Tag, PDWORD Length, PUCHAR Value)
{
	switch (Tag) {
	case TAG_IFD_SIMULTANEOUS_ACCESS:
		*Length = 1;
		*Value = READERS_MAX;
		return IFD_SUCCESS;
	case TAG_IFD_SLOTS_NUMBER:
	case TAG_IFD_THREAD_SAFE:
		*Length = 1;
		*Value = 1;
		return IFD_SUCCESS;
	default:
		return copy_of(Lun)->get_capabilities(0, Tag, Length, Value);
	}
}

RESPONSECODE IFDHSetCapabilities(DWORD Lun, DWORD Tag, DWORD Length, PUCHAR Value)
{
	(void)Lun;
	(void)Tag;
	(void)Length;
	(void)Value;
	return IFD_NOT_SUPPORTED;
}

RESPONSECODE IFDHSetProtocolParameters(DWORD Lun, DWORD Protocol, UCHAR Flags, UCHAR PTS1, UCHAR PTS2,
	UCHAR PTS3)
{
	return copy_of(Lun)->set_protocol(0, Protocol, Flags, PTS1, PTS2, PTS3);
}

RESPONSECODE IFDHPowerICC(DWORD Lun, DWORD Action, PUCHAR Atr, PDWORD AtrLength)
{
	return copy_of(Lun)->power(0, Action, Atr, AtrLength);
}

RESPONSECODE IFDHTransmitToICC(DWORD Lun, SCARD_IO_HEADER SendPci, PUCHAR TxBuffer, DWORD TxLength,
	PUCHAR RxBuffer, PDWORD RxLength, PSCARD_IO_HEADER RecvPci)
{
	return copy_of(Lun)->transmit(0, SendPci, TxBuffer, TxLength, RxBuffer, RxLength, RecvPci);
}

RESPONSECODE IFDHControl(DWORD Lun, DWORD dwControlCode, PUCHAR TxBuffer, DWORD TxLength, PUCHAR RxBuffer,
	DWORD RxLength, LPDWORD pdwBytesReturned)
{
	(void)Lun;
	(void)dwControlCode;
	(void)TxBuffer;
	(void)TxLength;
	(void)RxBuffer;
	(void)RxLength;
	*pdwBytesReturned = 0;
	return IFD_ERROR_NOT_SUPPORTED;
}

RESPONSECODE IFDHICCPresence(DWORD Lun)
{
	return copy_of(Lun)->presence(0);
}
