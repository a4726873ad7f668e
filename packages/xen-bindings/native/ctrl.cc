// Control: one handle of libxenctrl. Structures cross as bytes; src/domain-info.ts and src/physical-info.ts decode
// them.
#include "ctrl.h"

#include <cstring>

#include "classes.h"
#include "handle.h"

namespace xenpt {
namespace {

// Both structures have 112 bytes in 4.17 to 4.22. A later, longer one still fits, and we read only its start.
constexpr size_t kStructureSize = 1024;

constexpr int kVersion = 0;       // XENVER_version
constexpr int kExtraVersion = 1;  // XENVER_extraversion, char[16]
constexpr int kCommandLine = 9;   // XENVER_commandline, char[1024]
constexpr int kFeatures = 6;      // XENVER_get_features, { u32 in: submap index, u32 out: submap }

constexpr unsigned kPhysdevOp = 33;  // __HYPERVISOR_physdev_op
constexpr uint64_t kMapPirq = 13;    // PHYSDEVOP_map_pirq
constexpr int kMultiMsi = 4;         // MAP_PIRQ_TYPE_MULTI_MSI

// struct physdev_map_pirq of xen/include/public/physdev.h.
struct PhysdevMapPirq {
  uint16_t domid;
  int32_t type;
  int32_t index;
  int32_t pirq;  // in: wanted or -1; out: given
  int32_t bus;   // segment << 16 | bus
  int32_t devfn;
  int32_t entry_count;
  uint64_t table_base;
};
static_assert(sizeof(PhysdevMapPirq) == 40, "the layout is Xen's");

constexpr unsigned kDomctl = 36;        // __HYPERVISOR_domctl
constexpr uint32_t kBindIrq = 38;       // XEN_DOMCTL_bind_pt_irq
constexpr uint32_t kUnbindIrq = 48;     // XEN_DOMCTL_unbind_pt_irq
constexpr uint32_t kIrqTypePci = 0;     // PT_IRQ_TYPE_PCI
// XEN_DOMCTL_INTERFACE_VERSION of 4.17 to 4.22, the likeliest first. Xen refuses another one with EACCES before it
// looks at anything else; these two commands have been the same in all of them.
constexpr uint32_t kDomctlVersions[] = {0x17, 0x15, 0x16, 0x18};

// struct xen_domctl of xen/include/public/domctl.h with the arm of the two commands, for a line.
struct DomctlPtIrq {
  uint32_t command;
  uint32_t interface_version;
  uint16_t domid;
  uint16_t padding[3];
  uint32_t machine_irq;
  uint32_t irq_type;
  uint8_t bus;
  uint8_t device;
  uint8_t intx;
  uint8_t rest_of_arm[117];
};
static_assert(sizeof(DomctlPtIrq) == 144, "the layout is Xen's");

/** libxencall for one hypercall with one structure: rare enough not to be kept open. */
class DirectCall {
 public:
  DirectCall(Napi::Env env, size_t size) : opened_(ctrl::call_open(env, nullptr, 0)) {
    if (opened_ != nullptr) buffer_ = ctrl::call_alloc_buffer(env, opened_, size);
  }
  DirectCall(const DirectCall&) = delete;
  DirectCall& operator=(const DirectCall&) = delete;
  ~DirectCall() {
    if (buffer_ != nullptr) ctrl::call_free_buffer.Find()(opened_, buffer_);
    if (opened_ != nullptr) ctrl::call_close.Find()(opened_);
  }

  ctrl::Call* opened() const { return opened_; }
  /** Memory that Xen can be pointed at; null if there was none. */
  void* buffer() const { return buffer_; }
  uint64_t address() const { return reinterpret_cast<uintptr_t>(buffer_); }

 private:
  ctrl::Call* const opened_;
  void* buffer_ = nullptr;
};

Napi::Value Bytes(Napi::Env env, const void* data, size_t size) {
  Napi::Uint8Array bytes = Napi::Uint8Array::New(env, size);
  std::memcpy(bytes.Data(), data, size);
  return bytes;
}

class Control final : public HandleObject<Control, xc_interface_core> {
 public:
  explicit Control(const Napi::CallbackInfo& info) : HandleObject(info) {
    Adopt(ctrl::interface_open(info.Env(), logger_.pointer(), logger_.pointer(), 0), ctrl::interface_open.name());
  }

  static void Release(xc_interface_core* handle) { ctrl::interface_close.Find()(handle); }

  static Napi::Function Define(Napi::Env env) {
    using namespace ctrl;
    return DefineClass(env, "Control",
                       {
                           InstanceMethod(domain_getinfolist.name(), &Control::DomainFrom),
                           InstanceMethod(physinfo.name(), &Control::PhysicalInfo),
                           InstanceMethod(version.name(), &Control::Version),
                           InstanceMethod(domain_pause.name(), &Control::Command<domain_pause>),
                           InstanceMethod(domain_unpause.name(), &Control::Command<domain_unpause>),
                           InstanceMethod(test_assign_device.name(), &Control::Command<test_assign_device>),
                           InstanceMethod(assign_device.name(), &Control::Command<assign_device>),
                           InstanceMethod(deassign_device.name(), &Control::Command<deassign_device>),
                           InstanceMethod(get_device_group.name(), &Control::DeviceGroup),
                           InstanceMethod(iomem_permission.name(), &Control::Command<iomem_permission>),
                           InstanceMethod(ioport_permission.name(), &Control::Command<ioport_permission>),
                           InstanceMethod(irq_permission.name(), &Control::Command<irq_permission>),
                           InstanceMethod(memory_mapping.name(), &Control::Command<memory_mapping>),
                           InstanceMethod(ioport_mapping.name(), &Control::Command<ioport_mapping>),
                           InstanceMethod(map_pirq.name(), &Control::MapPirq),
                           InstanceMethod(map_pirq_msi.name(), &Control::MapPirqMsi),
                           InstanceMethod("physdev_map_pirq_multi_msi", &Control::MapPirqMultiMsi),
                           InstanceMethod(unmap_pirq.name(), &Control::Command<unmap_pirq>),
                           InstanceMethod("domctl_pt_irq", &Control::PtIrq),
                           InstanceMethod(bind_pt_pci_irq.name(), &Control::Command<bind_pt_pci_irq>),
                           InstanceMethod(unbind_pt_irq.name(), &Control::Command<unbind_pt_irq>),
                           InstanceMethod(update_msi_irq.name(), &Control::Command<update_msi_irq>),
                           InstanceMethod(unbind_msi_irq.name(), &Control::Command<unbind_msi_irq>),
                           InstanceMethod("close", &Control::Close),
                       });
  }

 private:
  /**
   * (first): the bytes of the first domain whose id is `first` or higher, or null. One at a time: no stride to
   * know.
   */
  Napi::Value DomainFrom(const Napi::CallbackInfo& info) {
    uint8_t structure[kStructureSize] = {};
    const int count = Call(ctrl::domain_getinfolist, Argument<uint32_t>(info, 0), 1u, static_cast<void*>(structure));
    if (count < 0) throw Failure(ctrl::domain_getinfolist.name(), errno);
    return count == 0 ? info.Env().Null() : Bytes(info.Env(), structure, sizeof structure);
  }

  Napi::Value PhysicalInfo(const Napi::CallbackInfo& info) {
    uint8_t structure[kStructureSize] = {};
    Check(ctrl::physinfo, static_cast<void*>(structure));
    return Bytes(info.Env(), structure, sizeof structure);
  }

  /** [major << 16 | minor, extra version, features, command line] */
  Napi::Value Version(const Napi::CallbackInfo& info) {
    const int number = Call(ctrl::version, kVersion, static_cast<void*>(nullptr));
    if (number < 0) throw Failure(ctrl::version.name(), errno);
    char extra[64] = {};
    if (Call(ctrl::version, kExtraVersion, static_cast<void*>(extra)) < 0) throw Failure(ctrl::version.name(), errno);
    uint32_t features[2] = {0, 0};
    if (Call(ctrl::version, kFeatures, static_cast<void*>(features)) < 0) {
      throw Failure(ctrl::version.name(), errno);
    }
    char command_line[1024 + 1] = {};
    if (Call(ctrl::version, kCommandLine, static_cast<void*>(command_line)) < 0) {
      throw Failure(ctrl::version.name(), errno);
    }
    Napi::Array result = Napi::Array::New(info.Env(), 4);
    result.Set(3u, Napi::String::New(info.Env(), command_line));
    result.Set(0u, Napi::Number::New(info.Env(), number));
    result.Set(1u, Napi::String::New(info.Env(), extra));
    result.Set(2u, Napi::Number::New(info.Env(), features[1]));
    return result;
  }

  /** (domid, sbdf, most): the SBDFs that share the device's IOMMU group */
  Napi::Value DeviceGroup(const Napi::CallbackInfo& info) {
    const uint32_t domid = Argument<uint32_t>(info, 0);
    const uint32_t sbdf = Argument<uint32_t>(info, 1);
    const uint32_t most = Argument<uint16_t>(info, 2);
    std::vector<uint32_t> group(most, 0);
    uint32_t count = 0;
    Check(ctrl::get_device_group, domid, sbdf, most, &count, group.data());
    if (count > most) count = most;
    Napi::Array result = Napi::Array::New(info.Env(), count);
    for (uint32_t index = 0; index < count; ++index) result.Set(index, Napi::Number::New(info.Env(), group[index]));
    return result;
  }

  /** (domid, gsi, pirq or -1): the pirq */
  Napi::Value MapPirq(const Napi::CallbackInfo& info) {
    const uint32_t domid = Argument<uint32_t>(info, 0);
    const int gsi = Argument<int>(info, 1);
    int pirq = Argument<int>(info, 2);
    Check(ctrl::map_pirq, domid, gsi, &pirq);
    return Napi::Number::New(info.Env(), pirq);
  }

  /** (domid, pirq or -1, devfn, segment << 16 | bus, entry, table base): the pirq */
  Napi::Value MapPirqMsi(const Napi::CallbackInfo& info) {
    constexpr int kAnyIndex = -1;
    const uint32_t domid = Argument<uint32_t>(info, 0);
    int pirq = Argument<int>(info, 1);
    const int devfn = Argument<int>(info, 2);
    const int segment_bus = Argument<int>(info, 3);
    const int entry = Argument<int>(info, 4);
    Check(ctrl::map_pirq_msi, domid, kAnyIndex, &pirq, devfn, segment_bus, entry, Argument<uint64_t>(info, 5));
    return Napi::Number::New(info.Env(), pirq);
  }

  /** (domid, devfn, segment << 16 | bus, vectors): the first pirq */
  Napi::Value MapPirqMultiMsi(const Napi::CallbackInfo& info) {
    const char* const name = "physdev_op";
    PhysdevMapPirq request = {};
    request.domid = Argument<uint16_t>(info, 0);
    request.type = kMultiMsi;
    request.index = -1;
    request.pirq = -1;
    request.devfn = Argument<int>(info, 1);
    request.bus = Argument<int>(info, 2);
    request.entry_count = Argument<int>(info, 3);
    Open();
    logger_.Clear();
    const DirectCall call(info.Env(), sizeof request);
    RequireMemory(call);
    std::memcpy(call.buffer(), &request, sizeof request);
    const int result = ctrl::call2(info.Env(), call.opened(), kPhysdevOp, kMapPirq, call.address());
    if (result != 0) throw Failure(name, errno);
    std::memcpy(&request, call.buffer(), sizeof request);
    return Napi::Number::New(info.Env(), request.pirq);
  }

  /** (domid, 1 to bind or 0 to unbind, pirq, bus, device, intx) */
  void PtIrq(const Napi::CallbackInfo& info) {
    DomctlPtIrq request = {};
    request.command = Argument<uint8_t>(info, 1) != 0 ? kBindIrq : kUnbindIrq;
    request.domid = Argument<uint16_t>(info, 0);
    request.machine_irq = Argument<uint32_t>(info, 2);
    request.irq_type = kIrqTypePci;
    request.bus = Argument<uint8_t>(info, 3);
    request.device = Argument<uint8_t>(info, 4);
    request.intx = Argument<uint8_t>(info, 5);
    Open();
    logger_.Clear();
    const DirectCall call(info.Env(), sizeof request);
    RequireMemory(call);
    for (const uint32_t version : kDomctlVersions) {
      request.interface_version = version;
      std::memcpy(call.buffer(), &request, sizeof request);
      if (ctrl::call1(info.Env(), call.opened(), kDomctl, call.address()) == 0) return;
      if (errno != EACCES) break;
    }
    throw Failure("domctl", errno);
  }

  void RequireMemory(const DirectCall& call) const {
    if (call.opened() == nullptr) throw Failure(ctrl::call_open.name(), errno);
    if (call.buffer() == nullptr) throw Failure(ctrl::call_alloc_buffer.name(), errno);
  }
};

}  // namespace

Napi::Function DefineControl(Napi::Env env) { return Control::Define(env); }

}  // namespace xenpt
