// The functions of libxenforeignmemory.so.1 that we call (tools/include/xenforeignmemory.h, stable ABI).
#pragma once

#include <cstddef>
#include <cstdint>

#include "library.h"

struct xentoollog_logger;
struct xenforeignmemory_handle;
struct xenforeignmemory_resource_handle;

namespace xenpt::foreignmemory {

constexpr size_t kPageSize = 4096;  // XC_PAGE_SIZE, whatever the size of our own pages

inline Library library{"xenforeignmemory"};

inline const Function<xenforeignmemory_handle*(xentoollog_logger*, unsigned)> open{library, "xenforeignmemory_open"};
inline const Function<int(xenforeignmemory_handle*)> close{library, "xenforeignmemory_close"};
inline const Function<void*(xenforeignmemory_handle*, uint32_t, int, size_t, const uint64_t*, int*)> map{
    library, "xenforeignmemory_map"};
inline const Function<int(xenforeignmemory_handle*, void*, size_t)> unmap{library, "xenforeignmemory_unmap"};
inline const Function<xenforeignmemory_resource_handle*(xenforeignmemory_handle*, uint16_t, unsigned, unsigned,
                                                        unsigned long, unsigned long, void**, int, int)>
    map_resource{library, "xenforeignmemory_map_resource"};
inline const Function<int(xenforeignmemory_handle*, xenforeignmemory_resource_handle*)> unmap_resource{
    library, "xenforeignmemory_unmap_resource"};

}  // namespace xenpt::foreignmemory
