// DeviceModel: one handle of libxendevicemodel.
#include "devicemodel.h"

#include "classes.h"
#include "handle.h"

namespace xenpt {
namespace {

class DeviceModel final : public HandleObject<DeviceModel, xendevicemodel_handle> {
 public:
  explicit DeviceModel(const Napi::CallbackInfo& info) : HandleObject(info) {
    Adopt(devicemodel::open(info.Env(), logger_.pointer(), 0), devicemodel::open.name());
  }

  static void Release(xendevicemodel_handle* handle) { devicemodel::close.Find()(handle); }

  static Napi::Function Define(Napi::Env env) {
    using namespace devicemodel;
    return DefineClass(
        env, "DeviceModel",
        {
            InstanceMethod(create_ioreq_server.name(), &DeviceModel::CreateIoreqServer),
            InstanceMethod(destroy_ioreq_server.name(), &DeviceModel::Command<destroy_ioreq_server>),
            InstanceMethod(set_ioreq_server_state.name(), &DeviceModel::Command<set_ioreq_server_state>),
            InstanceMethod(map_pcidev.name(), &DeviceModel::Command<map_pcidev>),
            InstanceMethod(unmap_pcidev.name(), &DeviceModel::Command<unmap_pcidev>),
            InstanceMethod(map_io_range.name(), &DeviceModel::Command<map_io_range>),
            InstanceMethod(unmap_io_range.name(), &DeviceModel::Command<unmap_io_range>),
            InstanceMethod(nr_vcpus.name(), &DeviceModel::VcpuCount),
            InstanceMethod("close", &DeviceModel::Close),
        });
  }

 private:
  Napi::Value CreateIoreqServer(const Napi::CallbackInfo& info) {
    uint16_t id = 0;
    const uint16_t domid = Argument<uint16_t>(info, 0);
    Check(devicemodel::create_ioreq_server, domid, Argument<int>(info, 1), &id);
    return Napi::Number::New(info.Env(), id);
  }

  Napi::Value VcpuCount(const Napi::CallbackInfo& info) {
    unsigned count = 0;
    Check(devicemodel::nr_vcpus, Argument<uint16_t>(info, 0), &count);
    return Napi::Number::New(info.Env(), count);
  }
};

}  // namespace

Napi::Function DefineDeviceModel(Napi::Env env) { return DeviceModel::Define(env); }

}  // namespace xenpt
