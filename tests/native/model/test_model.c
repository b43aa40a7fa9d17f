/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Explores the model. Without arguments: each configuration by each strategy, a line of TAP for
 * each, with how many states there are. With a strategy and the name of an invariant: that must be
 * the first that breaks.
 */
#include <stdio.h>
#include <string.h>

#include "tests/native/model/search.h"

#define MSR(name) (1u << MODEL_##name)
#define RESIDENT                                                                                   \
    (MSR(STAR) | MSR(LSTAR) | MSR(CSTAR) | MSR(FMASK) | MSR(KERNEL_GS_BASE) | MSR(TSC_AUX))
#define CET                                                                                        \
    (MSR(U_CET) | MSR(PL0_SSP) | MSR(PL1_SSP) | MSR(PL2_SSP) | MSR(PL3_SSP) | MSR(S_CET) |         \
     MSR(SSP_TABLE))
#define CONTROLS    (MSR_CONTROL_EFER | MSR_CONTROL_PAT)
#define ALL_HAVE    .tsc_aux = {true, true}, .host_tsc_aux = true, false, 48
#define WIDE        .tsc_aux = {true, true}, .host_tsc_aux = true, false, 57
#define MODERN      .tsc_aux = {true, true}, .host_tsc_aux = true, true, 48
#define MODERN_WIDE .tsc_aux = {true, true}, .host_tsc_aux = true, true, 57

#define DEPTH        9
#define MODERN_DEPTH 7
#define MUTANT_DEPTH 6

static const struct model_config configs[] = {
    {"all six MSRs", RESIDENT, ALL_HAVE, CONTROLS, DEPTH},
    {"all six MSRs, no EFER and PAT controls", RESIDENT | MSR(EFER) | MSR(PAT), ALL_HAVE, 0,
     DEPTH - 1},
    {"STAR alone", MSR(STAR), ALL_HAVE, CONTROLS, 0},
    {"LSTAR alone", MSR(LSTAR), ALL_HAVE, CONTROLS, 0},
    {"CSTAR alone", MSR(CSTAR), ALL_HAVE, CONTROLS, 0},
    {"FMASK alone", MSR(FMASK), ALL_HAVE, CONTROLS, 0},
    {"KERNEL_GS_BASE alone", MSR(KERNEL_GS_BASE), ALL_HAVE, CONTROLS, 0},
    {"KERNEL_GS_BASE alone, 57-bit addresses", MSR(KERNEL_GS_BASE), WIDE, CONTROLS, 0},
    {"LSTAR and KERNEL_GS_BASE, 57-bit addresses, no EFER and PAT controls",
     MSR(LSTAR) | MSR(KERNEL_GS_BASE), WIDE, 0, DEPTH},
    {"TSC_AUX alone", MSR(TSC_AUX), ALL_HAVE, CONTROLS, 0},
    {"LSTAR and KERNEL_GS_BASE", MSR(LSTAR) | MSR(KERNEL_GS_BASE), ALL_HAVE, CONTROLS, 0},
    {"LSTAR and TSC_AUX", MSR(LSTAR) | MSR(TSC_AUX), ALL_HAVE, CONTROLS, 0},
    {"LSTAR and EFER, no EFER and PAT controls", MSR(LSTAR) | MSR(EFER), ALL_HAVE, 0, 0},
    {"SPEC_CTRL alone", MSR(SPEC_CTRL), ALL_HAVE, CONTROLS, 0},
    {"KERNEL_GS_BASE and SPEC_CTRL", MSR(KERNEL_GS_BASE) | MSR(SPEC_CTRL), ALL_HAVE, CONTROLS,
     DEPTH},
    {"no RDTSCP", RESIDENT, {false, false}, false, false, 48, CONTROLS, DEPTH - 1},
    {"RDTSCP for one VM only",
     MSR(TSC_AUX) | MSR(LSTAR),
     {true, false},
     true,
     false,
     48,
     CONTROLS,
     DEPTH},
    {"all of CET, XSS and PKRS", CET | MSR(XSS) | MSR(PKRS), MODERN, CONTROLS, MODERN_DEPTH},
    {"all of CET, XSS and PKRS, 57-bit addresses, no EFER and PAT controls",
     CET | MSR(XSS) | MSR(PKRS), MODERN_WIDE, 0, MODERN_DEPTH},
    {"U_CET alone", MSR(U_CET), MODERN, CONTROLS, 0},
    {"PL0_SSP alone", MSR(PL0_SSP), MODERN, CONTROLS, 0},
    {"PL1_SSP alone", MSR(PL1_SSP), MODERN, CONTROLS, 0},
    {"PL2_SSP alone", MSR(PL2_SSP), MODERN, CONTROLS, 0},
    {"PL3_SSP alone", MSR(PL3_SSP), MODERN, CONTROLS, 0},
    {"PL3_SSP alone, 57-bit addresses", MSR(PL3_SSP), MODERN_WIDE, CONTROLS, 0},
    {"XSS alone", MSR(XSS), MODERN, CONTROLS, 0},
    {"S_CET alone", MSR(S_CET), MODERN, CONTROLS, 0},
    {"S_CET alone, 57-bit addresses", MSR(S_CET), MODERN_WIDE, CONTROLS, 0},
    {"SSP_TABLE alone", MSR(SSP_TABLE), MODERN, CONTROLS, 0},
    {"PKRS alone", MSR(PKRS), MODERN, CONTROLS, 0},
    {"U_CET and XSS", MSR(U_CET) | MSR(XSS), MODERN, CONTROLS, DEPTH - 1},
    {"KERNEL_GS_BASE and PL0_SSP", MSR(KERNEL_GS_BASE) | MSR(PL0_SSP), MODERN, CONTROLS, DEPTH - 1},
    {"S_CET and SPEC_CTRL", MSR(S_CET) | MSR(SPEC_CTRL), MODERN, CONTROLS, DEPTH - 1},
};

static const char *const msr_strategy_names[MSR_STRATEGY_COUNT] = {
#define MSR_STRATEGY(id, name, ...) [MSR_SWITCH_##id] = name,
#include "abi/strategies.def"
#undef MSR_STRATEGY
};

static bool explore(unsigned number, const struct model_config *config, enum msr_strategy strategy)
{
    struct search_result r = search(config, strategy);

    printf("%sok %u - %s, %s: %llu states, %llu transitions, ", r.broken != NULL ? "not " : "",
           number, msr_strategy_names[strategy], config->name, (unsigned long long)r.states,
           (unsigned long long)r.transitions);
    if (config->depth == 0)
        printf("sequences of any length (no new state after %u actions)\n", r.depth);
    else
        printf("sequences of up to %u actions\n", r.depth);
    if (r.broken != NULL) {
        printf("# %s is broken by:\n", r.broken);
        search_print_trace("#   ");
    }
    fflush(stdout);
    return r.broken == NULL;
}

static int explore_all(void)
{
    unsigned number = 0;
    bool good = true;

    for (enum msr_strategy s = 0; s < MSR_STRATEGY_COUNT; s++)
        for (size_t i = 0; i < sizeof(configs) / sizeof(configs[0]); i++)
            good &= explore(++number, &configs[i], s);
    printf("1..%u\n", number);
    return good ? 0 : 1;
}

static bool strategy_named(const char *name, enum msr_strategy *strategy)
{
    for (*strategy = 0; *strategy < MSR_STRATEGY_COUNT; ++*strategy)
        if (strcmp(msr_strategy_names[*strategy], name) == 0)
            return true;
    return false;
}

static int expect(enum msr_strategy strategy, const char *invariant)
{
    for (size_t i = 0; i < sizeof(configs) / sizeof(configs[0]); i++) {
        struct model_config config = configs[i];
        config.depth = MUTANT_DEPTH;
        struct search_result r = search(&config, strategy);
        if (r.broken == NULL)
            continue;
        printf("%s: %s is broken by:\n", config.name, r.broken);
        search_print_trace("  ");
        return strcmp(r.broken, invariant) == 0 ? 0 : 1;
    }
    printf("nothing is broken\n");
    return 1;
}

int main(int argc, char **argv)
{
    enum msr_strategy strategy;

    if (argc == 1)
        return explore_all();
    if (argc == 3 && strategy_named(argv[1], &strategy))
        return expect(strategy, argv[2]);
    fprintf(stderr, "usage: %s [STRATEGY INVARIANT]\n", argv[0]);
    return 2;
}
