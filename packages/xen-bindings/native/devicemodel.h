// The functions of libxendevicemodel.so.1 that we call (tools/include/xendevicemodel.h, stable ABI).
#pragma once

#include <cstdint>

#include "library.h"

struct xentoollog_logger;
struct xendevicemodel_handle;

namespace xenpt::devicemodel {

using Handle = xendevicemodel_handle*;

inline Library library{"xendevicemodel"};

inline const Function<Handle(xentoollog_logger*, unsigned)> open{library, "xendevicemodel_open"};
inline const Function<int(Handle)> close{library, "xendevicemodel_close"};
inline const Function<int(Handle, uint16_t, int, uint16_t*)> create_ioreq_server{
    library, "xendevicemodel_create_ioreq_server"};
inline const Function<int(Handle, uint16_t, uint16_t)> destroy_ioreq_server{library,
                                                                            "xendevicemodel_destroy_ioreq_server"};
inline const Function<int(Handle, uint16_t, uint16_t, int)> set_ioreq_server_state{
    library, "xendevicemodel_set_ioreq_server_state"};
inline const Function<int(Handle, uint16_t, uint16_t, uint16_t, uint8_t, uint8_t, uint8_t)> map_pcidev{
    library, "xendevicemodel_map_pcidev_to_ioreq_server"};
inline const Function<int(Handle, uint16_t, uint16_t, uint16_t, uint8_t, uint8_t, uint8_t)> unmap_pcidev{
    library, "xendevicemodel_unmap_pcidev_from_ioreq_server"};
inline const Function<int(Handle, uint16_t, uint16_t, int, uint64_t, uint64_t)> map_io_range{
    library, "xendevicemodel_map_io_range_to_ioreq_server"};
inline const Function<int(Handle, uint16_t, uint16_t, int, uint64_t, uint64_t)> unmap_io_range{
    library, "xendevicemodel_unmap_io_range_from_ioreq_server"};
// Since version 1.4 of the library (Xen 4.15).
inline const Function<int(Handle, uint16_t, unsigned*)> nr_vcpus{library, "xendevicemodel_nr_vcpus"};

}  // namespace xenpt::devicemodel
