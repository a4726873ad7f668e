// ForeignMemory: one handle of libxenforeignmemory, and what it has mapped.
#include "foreignmemory.h"

#include <sys/mman.h>

#include <memory>

#include "classes.h"
#include "handle.h"

namespace xenpt {
namespace {

/** The C handle, shared by the object and its mappings: a mapping may outlive the object that made it. */
struct SharedHandle {
  Logger logger;
  xenforeignmemory_handle* handle = nullptr;

  ~SharedHandle() {
    if (handle != nullptr) foreignmemory::close.Find()(handle);
  }
};

/** Mapped pages: of a resource, or of guest frames when `resource` is null. Unmapped once. */
struct Pages {
  Pages(std::shared_ptr<SharedHandle> by, xenforeignmemory_resource_handle* of, void* at, size_t count)
      : owner(std::move(by)), resource(of), address(at), page_count(count) {}
  Pages(const Pages&) = delete;
  Pages& operator=(const Pages&) = delete;
  ~Pages() { Unmap(); }

  std::shared_ptr<SharedHandle> owner;
  xenforeignmemory_resource_handle* const resource;
  void* address;
  const size_t page_count;

  void Unmap() {
    void* const mapped = std::exchange(address, nullptr);
    if (mapped == nullptr) return;
    if (resource != nullptr) {
      foreignmemory::unmap_resource.Find()(owner->handle, resource);
    } else {
      foreignmemory::unmap.Find()(owner->handle, mapped, page_count);
    }
    owner.reset();
  }
};

using PagesReference = std::shared_ptr<Pages>;

/**
 * { buffer, pages }: the memory as an ArrayBuffer, and the reference that `unmap` takes. Both keep the pages
 * mapped, so that neither order of garbage collection leaves a buffer without memory.
 */
Napi::Object Wrap(Napi::Env env, const PagesReference& pages) {
  auto* const buffers = new PagesReference(pages);
  Napi::Object result = Napi::Object::New(env);
  result.Set("buffer", Napi::ArrayBuffer::New(
                           env, pages->address, pages->page_count * foreignmemory::kPageSize,
                           [](Napi::Env, void*, PagesReference* reference) { delete reference; }, buffers));
  result.Set("pages", Napi::External<PagesReference>::New(env, new PagesReference(pages),
                                                          [](Napi::Env, PagesReference* ours) { delete ours; }));
  return result;
}

class ForeignMemory final : public Napi::ObjectWrap<ForeignMemory> {
 public:
  explicit ForeignMemory(const Napi::CallbackInfo& info)
      : ObjectWrap(info), shared_(std::make_shared<SharedHandle>()) {
    shared_->handle = foreignmemory::open(info.Env(), shared_->logger.pointer(), 0);
    if (shared_->handle == nullptr) {
      throw CallFailed(info.Env(), foreignmemory::open.name(), errno, shared_->logger.message());
    }
  }

  static Napi::Function Define(Napi::Env env) {
    return DefineClass(env, "ForeignMemory",
                       {
                           InstanceMethod<&ForeignMemory::Map>("xenforeignmemory_map"),
                           InstanceMethod<&ForeignMemory::MapResource>("xenforeignmemory_map_resource"),
                           StaticMethod<&ForeignMemory::Unmap>("unmap"),
                           InstanceMethod<&ForeignMemory::Close>("close"),
                       });
  }

 private:
  SharedHandle& Open(Napi::Env env) const {
    if (shared_ == nullptr) throw Closed(env);
    shared_->logger.Clear();
    return *shared_;
  }

  /** (domid, frames: BigUint64Array, writable) */
  Napi::Value Map(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    SharedHandle& shared = Open(env);
    const uint32_t domid = Argument<uint32_t>(info, 0);
    if (!info[1].IsTypedArray() || info[1].As<Napi::TypedArray>().TypedArrayType() != napi_biguint64_array) {
      throw Napi::TypeError::New(env, "argument 2 must be a BigUint64Array");
    }
    const auto frames = info[1].As<Napi::BigUint64Array>();
    const size_t count = frames.ElementLength();
    if (count == 0) throw Napi::RangeError::New(env, "argument 2 names no frame");
    const int protection = Argument<bool>(info, 2) ? PROT_READ | PROT_WRITE : PROT_READ;

    std::vector<int> errors(count, 0);
    void* const address =
        foreignmemory::map(env, shared.handle, domid, protection, count, frames.Data(), errors.data());
    if (address == nullptr) throw CallFailed(env, foreignmemory::map.name(), errno, shared.logger.message());
    const auto pages = std::make_shared<Pages>(shared_, nullptr, address, count);
    for (size_t index = 0; index < count; ++index) {
      if (errors[index] == 0) continue;
      const std::string detail = "frame " + std::to_string(index) + " of " + std::to_string(count);
      throw CallFailed(env, foreignmemory::map.name(), std::abs(errors[index]), detail.c_str());
    }
    return Wrap(env, pages);
  }

  /** (domid, type, id, frame: bigint, count: bigint); always readable and writable */
  Napi::Value MapResource(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    SharedHandle& shared = Open(env);
    const uint16_t domid = Argument<uint16_t>(info, 0);
    const uint32_t type = Argument<uint32_t>(info, 1);
    const uint32_t id = Argument<uint32_t>(info, 2);
    const unsigned long frame = Argument<unsigned long>(info, 3);
    const unsigned long count = Argument<unsigned long>(info, 4);
    void* address = nullptr;
    xenforeignmemory_resource_handle* const resource = foreignmemory::map_resource(
        env, shared.handle, domid, type, id, frame, count, &address, PROT_READ | PROT_WRITE, 0);
    if (resource == nullptr) {
      throw CallFailed(env, foreignmemory::map_resource.name(), errno, shared.logger.message());
    }
    return Wrap(env, std::make_shared<Pages>(shared_, resource, address, count));
  }

  /** (pages, buffer): empties the buffer and unmaps at once. Twice is fine. */
  static void Unmap(const Napi::CallbackInfo& info) {
    const PagesReference pages = *info[0].As<Napi::External<PagesReference>>().Data();
    Napi::ArrayBuffer buffer = info[1].As<Napi::ArrayBuffer>();
    if (!buffer.IsDetached()) buffer.Detach();
    pages->Unmap();
  }

  void Close(const Napi::CallbackInfo&) { shared_.reset(); }

  std::shared_ptr<SharedHandle> shared_;
};

}  // namespace

Napi::Function DefineForeignMemory(Napi::Env env) { return ForeignMemory::Define(env); }

}  // namespace xenpt
