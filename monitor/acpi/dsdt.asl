/* SPDX-License-Identifier: BSD-2-Clause */
/* The board as the guest's ACPI interpreter sees it; ports and interrupts are those of monitor/ports.def. */
DefinitionBlock ("dsdt.aml", "DSDT", 2, "LINTEL", "LINTEL", 1)
{
    // Power-off: the value of PM_SLEEP_TYPE_S5 in monitor/pm.h.
    Name (_S5, Package (4) { 0, 0, 0, 0 })

    // The PIC mode that the system chose. There is only an I/O APIC: nothing depends on it.
    Method (_PIC, 1) {}

    Scope (\_SB)
    {
        Device (PCI0)
        {
            Name (_HID, EisaId ("PNP0A03"))
            Name (_UID, 0)
            Name (_BBN, 0)
            Name (_PRT, Package () {})
            Name (_CRS, ResourceTemplate ()
            {
                WordBusNumber (ResourceProducer, MinFixed, MaxFixed, PosDecode,
                    0, 0, 0xff, 0, 0x100)
                IO (Decode16, 0x0cf8, 0x0cf8, 1, 8)
                // The windows of monitor/pci.h.
                WordIO (ResourceProducer, MinFixed, MaxFixed, PosDecode, EntireRange,
                    0, 0xc000, 0xcfff, 0, 0x1000)
                DWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed, NonCacheable, ReadWrite,
                    0, 0xe0000000, 0xefffffff, 0, 0x10000000)
            })
        }

        Device (COM1)
        {
            Name (_HID, EisaId ("PNP0501"))
            Name (_UID, 1)
            Name (_CRS, ResourceTemplate ()
            {
                IO (Decode16, 0x03f8, 0x03f8, 1, 8)
                IRQNoFlags () { 4 }
            })
        }

        Device (RTC)
        {
            Name (_HID, EisaId ("PNP0B00"))
            Name (_CRS, ResourceTemplate ()
            {
                IO (Decode16, 0x0070, 0x0070, 1, 2)
                IRQNoFlags () { 8 }
            })
        }

        // QEMU's device by which a kernel says that it panicked; the port is PVPANIC_PORT.
        Device (PEVT)
        {
            Name (_HID, "QEMU0001")
            Name (_CRS, ResourceTemplate ()
            {
                IO (Decode16, 0x0505, 0x0505, 1, 1)
            })
        }

        // The power-management block, so that nothing is placed over it.
        Device (PM)
        {
            Name (_HID, EisaId ("PNP0C02"))
            Name (_CRS, ResourceTemplate ()
            {
                IO (Decode16, 0xb000, 0xb000, 1, 12)
            })
        }
    }
}
