/* SPDX-License-Identifier: BSD-2-Clause */
/* In the place of runtime/shared.h: each access is a step of channel_model.c. */
#pragma once

#include <stddef.h>
#include <stdint.h>

uint32_t shared_load(const uint32_t *at);
void shared_store(uint32_t *at, uint32_t value);
void shared_fence(void);
void shared_copy(void *to, const void *from, size_t size);
