// The functions of libxenevtchn.so.1 that we call (tools/include/xenevtchn.h, stable ABI).
#pragma once

#include <cstdint>

#include "library.h"

struct xentoollog_logger;
struct xenevtchn_handle;

namespace xenpt::evtchn {

inline Library library{"xenevtchn"};

inline const Function<xenevtchn_handle*(xentoollog_logger*, unsigned)> open{library, "xenevtchn_open"};
inline const Function<int(xenevtchn_handle*)> close{library, "xenevtchn_close"};
inline const Function<int(xenevtchn_handle*)> fd{library, "xenevtchn_fd"};
inline const Function<int(xenevtchn_handle*, uint32_t)> notify{library, "xenevtchn_notify"};
inline const Function<int(xenevtchn_handle*, uint32_t, uint32_t)> bind_interdomain{library,
                                                                                   "xenevtchn_bind_interdomain"};
inline const Function<int(xenevtchn_handle*, uint32_t)> bind_unbound_port{library, "xenevtchn_bind_unbound_port"};
inline const Function<int(xenevtchn_handle*, uint32_t)> unbind{library, "xenevtchn_unbind"};
inline const Function<int(xenevtchn_handle*)> pending{library, "xenevtchn_pending"};
inline const Function<int(xenevtchn_handle*, uint32_t)> unmask{library, "xenevtchn_unmask"};

/** DOMID_SELF of xen/include/public/xen.h: the other end is in the domain that asks. */
constexpr uint32_t kOwnDomain = 0x7ff0;

}  // namespace xenpt::evtchn
