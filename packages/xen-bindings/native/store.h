// The functions of libxenstore.so.4 that we call (tools/include/xenstore.h, stable ABI).
#pragma once

#include <cstdint>

#include "library.h"

struct xs_handle;

namespace xenpt::store {

/** struct xs_permissions of tools/include/xenstore_lib.h; the bits are 1 read, 2 write. */
struct Permission {
  unsigned domid;
  unsigned bits;
};

inline Library library{"xenstore"};

inline const Function<xs_handle*(unsigned long)> open{library, "xs_open"};
inline const Function<void(xs_handle*)> close{library, "xs_close"};
inline const Function<void*(xs_handle*, uint32_t, const char*, unsigned*)> read{library, "xs_read"};
inline const Function<bool(xs_handle*, uint32_t, const char*, const void*, unsigned)> write{library, "xs_write"};
inline const Function<bool(xs_handle*, uint32_t, const char*)> mkdir{library, "xs_mkdir"};
inline const Function<bool(xs_handle*, uint32_t, const char*)> rm{library, "xs_rm"};
inline const Function<char**(xs_handle*, uint32_t, const char*, unsigned*)> directory{library, "xs_directory"};
inline const Function<Permission*(xs_handle*, uint32_t, const char*, unsigned*)> get_permissions{
    library, "xs_get_permissions"};
inline const Function<bool(xs_handle*, uint32_t, const char*, Permission*, unsigned)> set_permissions{
    library, "xs_set_permissions"};
inline const Function<uint32_t(xs_handle*)> transaction_start{library, "xs_transaction_start"};
inline const Function<bool(xs_handle*, uint32_t, bool)> transaction_end{library, "xs_transaction_end"};
inline const Function<bool(xs_handle*, const char*, const char*)> watch{library, "xs_watch"};
inline const Function<bool(xs_handle*, const char*, const char*)> unwatch{library, "xs_unwatch"};
inline const Function<int(xs_handle*)> fileno{library, "xs_fileno"};
inline const Function<char**(xs_handle*)> check_watch{library, "xs_check_watch"};

}  // namespace xenpt::store
