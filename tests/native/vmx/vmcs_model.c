/* SPDX-License-Identifier: BSD-2-Clause */
/* A VMCS in memory, for the tests of entry checks and injection. */
#include "tests/native/vmx/vmcs_model.h"

#include <stdlib.h>
#include <string.h>

#define MODEL_CR0_PE   BIT(0)
#define MODEL_CR0_REST (BIT(4) | BIT(5))
#define MODEL_CR0_PG   BIT(31)
#define MODEL_CR4_PAE  BIT(5)
#define MODEL_CR4_VMXE BIT(13)

const struct vmx_caps coffee_lake = {
    .basic = 0xda040000000004,
    .misc = 0x7004c1e7,
    .feature_control = 0x20005,
    .pin = 0x7f00000016,
    .proc = 0xfff9fffe04006172,
    .proc2 = 0x5fbcff00000000,
    .exit = 0x1ffffff00036dfb,
    .entry = 0x3ffff000011fb,
    .cr0_fixed0 = 0x80000021,
    .cr0_fixed1 = 0xffffffff,
    .cr4_fixed0 = 0x2000,
    .cr4_fixed1 = 0x3727ff,
    .ept_vpid = 0xf0106734141,
    .signature = 0x906ea,
    .physical_bits = 39,
    .linear_bits = 48,
    .cpuid_vmx = true,
};

const struct vmx_caps ivy_bridge = {
    .basic = 0xda040000000010,
    .misc = 0x100401e5,
    .feature_control = 0x5,
    .pin = 0x7f00000016,
    .proc = 0xfff9fffe04006172,
    .proc2 = 0x8ff00000000,
    .exit = 0x7fffff00036dfb,
    .entry = 0xffff000011fb,
    .cr0_fixed0 = 0x80000021,
    .cr0_fixed1 = 0xffffffff,
    .cr4_fixed0 = 0x2000,
    .cr4_fixed1 = 0x1767ff,
    .ept_vpid = 0xf0106114141,
    .signature = 0x306a9,
    .physical_bits = 36,
    .linear_bits = 48,
    .cpuid_vmx = true,
};

static unsigned index_of_field(enum vmcs_field field)
{
    for (unsigned i = 0; i < VMCS_FIELD_COUNT; i++)
        if (vmcs_field_at(i) == field)
            return i;
    abort();
}

void model_write(struct vmcs_model *model, enum vmcs_field field, uint64_t value)
{
    model->values.field[index_of_field(field)] = value;
}

uint64_t model_read(const struct vmcs_model *model, enum vmcs_field field)
{
    return model->values.field[index_of_field(field)];
}

static void write_segments(struct vmcs_model *model, uint32_t cs, uint32_t data, uint32_t limit)
{
    for (unsigned i = 0; i < 6; i++) {
        model_write(model, VMCS_GUEST_ES_ACCESS_RIGHTS + 2 * i, data);
        model_write(model, VMCS_GUEST_ES_LIMIT + 2 * i, limit);
    }
    model_write(model, VMCS_GUEST_CS_ACCESS_RIGHTS, cs);
    model_write(model, VMCS_GUEST_LDTR_ACCESS_RIGHTS, ACCESS_UNUSABLE);
    model_write(model, VMCS_GUEST_TR_ACCESS_RIGHTS, 0x8b);
    model_write(model, VMCS_GUEST_TR_LIMIT, 0x67);
}

static void write_controls(struct vmcs_model *model)
{
    struct vmx_controls controls;
    enum control_id missing;

    if (!vmx_controls_choose(&model->values.caps, 0, &controls, &missing))
        abort();
    model_write(model, VMCS_PIN_CONTROLS, controls.pin);
    model_write(model, VMCS_PROC_CONTROLS, controls.proc);
    model_write(model, VMCS_PROC2_CONTROLS, controls.proc2);
    model_write(model, VMCS_EXIT_CONTROLS, controls.exit);
    model_write(model, VMCS_ENTRY_CONTROLS, controls.entry);
    model_write(model, VMCS_MSR_BITMAPS, 0x200000);
    model_write(model, VMCS_EPT_POINTER, 0x20201e);
    model_write(model, VMCS_VPID, 1);
}

static void write_base(struct vmcs_model *model)
{
    memset(model, 0, sizeof(*model));
    model->values.caps = coffee_lake;
    write_controls(model);
    model_write(model, VMCS_GUEST_RFLAGS, 2);
    model_write(model, VMCS_LINK_POINTER, VMCS_NO_LINK);
    model_write(model, VMCS_GUEST_PAT, 0x0007040600070406);
    model_write(model, VMCS_GUEST_GDTR_LIMIT, 0xffff);
    model_write(model, VMCS_GUEST_IDTR_LIMIT, 0xffff);
}

void model_long_mode(struct vmcs_model *model)
{
    write_base(model);
    write_segments(model, 0xa09b, 0xc093, 0xffffffff);
    model_write(model, VMCS_ENTRY_CONTROLS,
                model_read(model, VMCS_ENTRY_CONTROLS) | CONTROL_MASK(IA32E_MODE_GUEST));
    model_write(model, VMCS_GUEST_CR0, MODEL_CR0_PE | MODEL_CR0_REST | MODEL_CR0_PG);
    model_write(model, VMCS_GUEST_CR4, MODEL_CR4_PAE | MODEL_CR4_VMXE);
    model_write(model, VMCS_GUEST_CR3, 0x1000);
    model_write(model, VMCS_GUEST_EFER, 0xd01);
    model_write(model, VMCS_GUEST_RIP, 0xffffffff81000000);
}

void model_real_mode(struct vmcs_model *model)
{
    write_base(model);
    write_segments(model, 0x9b, 0x93, 0xffff);
    model_write(model, VMCS_GUEST_CS_SELECTOR, 0xf000);
    model_write(model, VMCS_GUEST_CS_BASE, 0xffff0000);
    model_write(model, VMCS_GUEST_RIP, 0xfff0);
    model_write(model, VMCS_GUEST_CR0, MODEL_CR0_REST);
    model_write(model, VMCS_GUEST_CR4, MODEL_CR4_VMXE);
}

void model_pae_mode(struct vmcs_model *model)
{
    write_base(model);
    write_segments(model, 0xc09b, 0xc093, 0xffffffff);
    model_write(model, VMCS_GUEST_CR0, MODEL_CR0_PE | MODEL_CR0_REST | MODEL_CR0_PG);
    model_write(model, VMCS_GUEST_CR4, MODEL_CR4_PAE | MODEL_CR4_VMXE);
    model_write(model, VMCS_GUEST_PDPTE0, 0x3001);
    model_write(model, VMCS_GUEST_PDPTE1, 0x1e6); /* not present: anything goes */
    model_write(model, VMCS_GUEST_RIP, 0xc0100000);
}

void model_virtual_8086(struct vmcs_model *model)
{
    model_pae_mode(model);
    for (unsigned i = 0; i < 6; i++) {
        model_write(model, VMCS_GUEST_ES_SELECTOR + 2 * i, 0x1000 + i);
        model_write(model, VMCS_GUEST_ES_BASE + 2 * i, 0x10000 + 16 * i);
        model_write(model, VMCS_GUEST_ES_LIMIT + 2 * i, 0xffff);
        model_write(model, VMCS_GUEST_ES_ACCESS_RIGHTS + 2 * i, 0xf3);
    }
    model_write(model, VMCS_GUEST_RFLAGS, 0x20002);
    model_write(model, VMCS_GUEST_RIP, 0x100);
}
