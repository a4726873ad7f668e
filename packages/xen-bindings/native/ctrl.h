// The functions of libxenctrl that we call (tools/include/xenctrl.h). The library is tied to one Xen release; these
// declarations were compared in the branches 4.17, 4.18, 4.20, 4.21 and 4.22 and are the same in all of them.
#pragma once

#include <cstddef>
#include <cstdint>

#include "library.h"

struct xentoollog_logger;
struct xc_interface_core;

// Same layout as Xen's public struct xc_hypercall_buffer, unchanged from 4.17 to 4.22. These values of the later
// members mean "allocated as one, nothing to copy to or from".
struct xc_hypercall_buffer {
  void* hbuf = nullptr;
  xc_hypercall_buffer* param_shadow = nullptr;
  int dir = 0;
  void* ubuf = nullptr;
  size_t sz = 0;
};

namespace xenpt::ctrl {

using Handle = xc_interface_core*;

inline Library library{"xenctrl"};

inline const Function<Handle(xentoollog_logger*, xentoollog_logger*, unsigned)> interface_open{library,
                                                                                              "xc_interface_open"};
inline const Function<int(Handle)> interface_close{library, "xc_interface_close"};

inline const Function<int(Handle, uint32_t, unsigned, void*)> domain_getinfolist{library, "xc_domain_getinfolist"};
inline const Function<int(Handle, void*)> physinfo{library, "xc_physinfo"};
inline const Function<int(Handle, int, void*)> version{library, "xc_version"};

inline const Function<int(Handle, uint32_t)> domain_pause{library, "xc_domain_pause"};
inline const Function<int(Handle, uint32_t)> domain_unpause{library, "xc_domain_unpause"};

inline const Function<int(Handle, uint32_t, uint32_t)> test_assign_device{library, "xc_test_assign_device"};
inline const Function<int(Handle, uint32_t, uint32_t, uint32_t)> assign_device{library, "xc_assign_device"};
inline const Function<int(Handle, uint32_t, uint32_t)> deassign_device{library, "xc_deassign_device"};
inline const Function<int(Handle, uint32_t, uint32_t, uint32_t, uint32_t*, uint32_t*)> get_device_group{
    library, "xc_get_device_group"};

inline const Function<int(Handle, uint32_t, unsigned long, unsigned long, uint8_t)> iomem_permission{
    library, "xc_domain_iomem_permission"};
inline const Function<int(Handle, uint32_t, uint32_t, uint32_t, uint32_t)> ioport_permission{
    library, "xc_domain_ioport_permission"};
inline const Function<int(Handle, uint32_t, uint32_t, bool)> irq_permission{library, "xc_domain_irq_permission"};
inline const Function<int(Handle, uint32_t, unsigned long, unsigned long, unsigned long, uint32_t)> memory_mapping{
    library, "xc_domain_memory_mapping"};
inline const Function<int(Handle, uint32_t, uint32_t, uint32_t, uint32_t, uint32_t)> ioport_mapping{
    library, "xc_domain_ioport_mapping"};

inline const Function<int(Handle, uint32_t, int, int*)> map_pirq{library, "xc_physdev_map_pirq"};
inline const Function<int(Handle, uint32_t, int, int*, int, int, int, uint64_t)> map_pirq_msi{
    library, "xc_physdev_map_pirq_msi"};
// libxenctrl has no function for several MSI vectors, and passes 8 bits of the pirq of a line. Those hypercalls are
// made directly, with libxencall, which libxenctrl is linked with: its symbols are found through libxenctrl's own
// handle. libxencall's ABI is stable.
struct Call;
inline const Function<Call*(xentoollog_logger*, unsigned)> call_open{library, "xencall_open"};
inline const Function<int(Call*)> call_close{library, "xencall_close"};
inline const Function<void*(Call*, size_t)> call_alloc_buffer{library, "xencall_alloc_buffer"};
inline const Function<void(Call*, void*)> call_free_buffer{library, "xencall_free_buffer"};
inline const Function<int(Call*, unsigned, uint64_t)> call1{library, "xencall1"};
inline const Function<int(Call*, unsigned, uint64_t, uint64_t)> call2{library, "xencall2"};

inline const Function<int(Handle, uint32_t, int)> unmap_pirq{library, "xc_physdev_unmap_pirq"};
inline const Function<int(Handle, uint32_t, uint8_t, uint8_t, uint8_t, uint8_t)> bind_pt_pci_irq{
    library, "xc_domain_bind_pt_pci_irq"};
inline const Function<int(Handle, uint32_t, uint8_t, uint8_t, uint8_t, uint8_t, uint8_t, uint8_t)> unbind_pt_irq{
    library, "xc_domain_unbind_pt_irq"};
inline const Function<int(Handle, uint32_t, uint32_t, uint32_t, uint32_t, uint64_t)> update_msi_irq{
    library, "xc_domain_update_msi_irq"};
inline const Function<int(Handle, uint32_t, uint32_t, uint32_t, uint32_t)> unbind_msi_irq{
    library, "xc_domain_unbind_msi_irq"};

/** xen_reserved_device_memory of xen/include/public/memory.h */
struct ReservedDeviceMemory {
  uint64_t start_pfn;
  uint64_t nr_pages;
};

inline const Function<int(Handle, uint32_t, uint16_t, uint8_t, uint8_t, ReservedDeviceMemory*, uint32_t*)>
    reserved_device_memory_map{library, "xc_reserved_device_memory_map"};

/** xen_domctl_shadow_op_stats of xen/include/public/domctl.h */
struct DirtyStats {
  uint32_t fault_count;
  uint32_t dirty_count;
};

inline const Function<int(Handle, uint32_t, unsigned, unsigned*, unsigned)> shadow_control{library,
                                                                                           "xc_shadow_control"};
inline const Function<long long(Handle, uint32_t, unsigned, xc_hypercall_buffer*, unsigned long, unsigned, DirtyStats*)>
    logdirty_control{library, "xc_logdirty_control"};
inline const Function<int(Handle, uint32_t, uint64_t*)> nr_gpfns{library, "xc_domain_nr_gpfns"};
inline const Function<void*(Handle, xc_hypercall_buffer*, int)> hypercall_buffer_alloc_pages{
    library, "xc__hypercall_buffer_alloc_pages"};
inline const Function<void(Handle, xc_hypercall_buffer*, int)> hypercall_buffer_free_pages{
    library, "xc__hypercall_buffer_free_pages"};

}  // namespace xenpt::ctrl
