// DirtyLogControl: the dirty-logging calls of libxenctrl, over a handle of its own and a map that Xen writes, which
// is kept from call to call.
#include <cstring>

#include "classes.h"
#include "ctrl.h"
#include "handle.h"

namespace xenpt {
namespace {

constexpr size_t kPageSize = 4096;
constexpr size_t kBitsPerPage = kPageSize * 8;
constexpr size_t kWordBits = 64;

/** A handle of libxenctrl and the memory that hypercalls of it may write. */
struct Session {
  xc_interface_core* control;
  xc_hypercall_buffer map;
  int map_pages = 0;

  explicit Session(xc_interface_core* opened) : control(opened) {}
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session() {
    FreeMap();
    ctrl::interface_close.Find()(control);
  }

  void FreeMap() {
    if (map_pages == 0) return;
    ctrl::hypercall_buffer_free_pages.Find()(control, &map, map_pages);
    map_pages = 0;
  }
};

class DirtyLogControl final : public HandleObject<DirtyLogControl, Session> {
 public:
  explicit DirtyLogControl(const Napi::CallbackInfo& info) : HandleObject(info) {
    xc_interface_core* const control =
        ctrl::interface_open(info.Env(), logger_.pointer(), logger_.pointer(), 0);
    Adopt(control == nullptr ? nullptr : new Session(control), ctrl::interface_open.name());
  }

  static void Release(Session* session) { delete session; }

  static Napi::Function Define(Napi::Env env) {
    return DefineClass(env, "DirtyLogControl",
                       {
                           InstanceMethod<&DirtyLogControl::ShadowControl>(ctrl::shadow_control.name()),
                           InstanceMethod<&DirtyLogControl::LogDirty>(ctrl::logdirty_control.name()),
                           InstanceMethod<&DirtyLogControl::FrameCount>(ctrl::nr_gpfns.name()),
                           InstanceMethod("close", &DirtyLogControl::Close),
                       });
  }

 private:
  Session& Begin() {
    Session* const session = Open();
    logger_.Clear();
    return *session;
  }

  /** (domid, operation) */
  void ShadowControl(const Napi::CallbackInfo& info) {
    Session& session = Begin();
    const uint32_t domid = Argument<uint32_t>(info, 0);
    const unsigned operation = Argument<unsigned>(info, 1);
    const int result = ctrl::shadow_control(info.Env(), session.control, domid, operation, nullptr, 0);
    if (result < 0) throw Failure(ctrl::shadow_control.name(), errno);
  }

  /** (domid): highest guest frame + 1 */
  Napi::Value FrameCount(const Napi::CallbackInfo& info) {
    Session& session = Begin();
    uint64_t count = 0;
    const int result = ctrl::nr_gpfns(info.Env(), session.control, Argument<uint32_t>(info, 0), &count);
    if (result < 0) throw Failure(ctrl::nr_gpfns.name(), errno);
    return Napi::BigInt::New(info.Env(), count);
  }

  /**
   * (domid, operation, count of pages, mode, into: Uint8Array): [pages, faults, dirty pages]. Writes whole 64-bit
   * words into `into`, the bits after the last page as 0.
   */
  Napi::Value LogDirty(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    Session& session = Begin();
    const uint32_t domid = Argument<uint32_t>(info, 0);
    const unsigned operation = Argument<unsigned>(info, 1);
    const unsigned long pages = Argument<unsigned long>(info, 2);
    const unsigned mode = Argument<unsigned>(info, 3);
    if (!info[4].IsTypedArray() || info[4].As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array) {
      throw Napi::TypeError::New(env, "argument 5 must be a Uint8Array");
    }
    auto into = info[4].As<Napi::Uint8Array>();
    const size_t size = (pages + kWordBits - 1) / kWordBits * (kWordBits / 8);
    if (into.ByteLength() < size) throw Napi::RangeError::New(env, "argument 5 is too small for the map");

    ReserveMap(env, session, pages);
    ctrl::DirtyStats stats{0, 0};
    const long long answer =
        ctrl::logdirty_control(env, session.control, domid, operation, &session.map, pages, mode, &stats);
    if (answer < 0) throw Failure(ctrl::logdirty_control.name(), errno);
    // Xen answers with the number of pages that it could tell about, which is not more than was asked for.
    const size_t known = static_cast<unsigned long>(answer) < pages ? static_cast<size_t>(answer) : pages;
    CopyMap(into.Data(), size, static_cast<const uint8_t*>(session.map.hbuf), known);

    Napi::Array result = Napi::Array::New(env, 3);
    result.Set(0u, Napi::Number::New(env, static_cast<double>(known)));
    result.Set(1u, Napi::Number::New(env, stats.fault_count));
    result.Set(2u, Napi::Number::New(env, stats.dirty_count));
    return result;
  }

  /** Makes the map large enough. It grows in whole pages, so a guest that grows a little needs no new one. */
  void ReserveMap(Napi::Env env, Session& session, unsigned long pages) {
    const int needed = static_cast<int>((pages + kBitsPerPage - 1) / kBitsPerPage);
    if (needed <= session.map_pages) return;
    session.FreeMap();
    session.map = xc_hypercall_buffer{};
    if (ctrl::hypercall_buffer_alloc_pages(env, session.control, &session.map, needed) == nullptr) {
      throw Failure(ctrl::hypercall_buffer_alloc_pages.name(), errno);
    }
    session.map_pages = needed;
  }

  /** The one copy: `size` bytes, of which the first `known` bits come from Xen and the rest are 0. */
  static void CopyMap(uint8_t* into, size_t size, const uint8_t* map, size_t known) {
    const size_t whole = known / 8;
    if (whole > 0) std::memcpy(into, map, whole);
    if (size > whole) std::memset(into + whole, 0, size - whole);
    if (known % 8 != 0) into[whole] = static_cast<uint8_t>(map[whole] & ((1u << known % 8) - 1));
  }
};

}  // namespace

Napi::Function DefineDirtyLogControl(Napi::Env env) { return DirtyLogControl::Define(env); }

}  // namespace xenpt
