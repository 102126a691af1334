import CPUFeatures
import Glibc
import Synchronization

/// Threads that sleep until there are chunks to do.
///
/// One caller at a time. The threads end when the pool goes away.
final class WorkerPool: @unchecked Sendable {
  /// What is called for each chunk. A pointer to the closure itself would take a thunk on the heap.
  private struct Body {
    let call: (_ chunk: Int, _ worker: Int) -> Void
  }

  /// Everything the threads share; it outlives the pool object until the last thread has ended.
  private final class Shared: @unchecked Sendable {
    let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    let wake = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    let done = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    let next = Atomic<Int>(0)
    /// Counts jobs; helpers watch it for a moment before they sleep.
    let generation = Atomic<Int>(0)
    /// Helpers at work on the job; counted up under the mutex, so that none joins a job that is over.
    let active = Atomic<Int>(0)
    // Guarded by the mutex.
    var isOpen = false, ending = false, sleepers = 0
    var chunks = 0
    /// The body of the job, on the stack of the caller: no helper may keep it longer than it is active.
    var body: UnsafePointer<Body>?

    init() {
      pthread_mutex_init(mutex, nil)
      pthread_cond_init(wake, nil)
      pthread_cond_init(done, nil)
    }

    deinit {
      pthread_cond_destroy(wake)
      pthread_cond_destroy(done)
      pthread_mutex_destroy(mutex)
      wake.deallocate()
      done.deallocate()
      mutex.deallocate()
    }

    /// Takes chunks until none is left.
    func work(_ chunks: Int, _ body: UnsafePointer<Body>, as worker: Int) {
      while true {
        let chunk = next.wrappingAdd(1, ordering: .relaxed).oldValue
        if chunk >= chunks { return }
        body.pointee.call(chunk, worker)
      }
    }

    /// A helper's life: joins each job that is still open when it comes, and sleeps when none comes for a moment.
    func serve(as worker: Int) {
      var seen = 0
      while true {
        spin { generation.load(ordering: .acquiring) != seen }
        pthread_mutex_lock(mutex)
        while !ending, !isOpen || generation.load(ordering: .relaxed) == seen {
          sleepers += 1
          pthread_cond_wait(wake, mutex)
          sleepers -= 1
        }
        if ending { break }
        seen = generation.load(ordering: .relaxed)
        let chunks = chunks, body = body
        active.wrappingAdd(1, ordering: .relaxed)
        pthread_mutex_unlock(mutex)
        if let body { work(chunks, body, as: worker) }
        pthread_mutex_lock(mutex)
        if active.wrappingSubtract(1, ordering: .releasing).newValue == 0 { pthread_cond_signal(done) }
        pthread_mutex_unlock(mutex)
      }
      pthread_mutex_unlock(mutex)
    }

    /// Waits some ten microseconds for a condition: waking a thread from sleep costs more than most jobs take.
    func spin(_ condition: () -> Bool) {
      for _ in 0..<2000 {
        if condition() { return }
        nr_cpu_pause()
      }
    }
  }

  /// What a new thread is told.
  private final class Start {
    let shared: Shared, worker: Int
    init(_ shared: Shared, _ worker: Int) {
      self.shared = shared
      self.worker = worker
    }
  }

  private let shared = Shared()
  private var threads: [pthread_t] = []

  /// Starts the helpers. Fewer run when the system refuses a thread; the results are the same.
  init(helpers: Int) {
    for worker in 1...helpers {
      var thread = pthread_t()
      let start = Unmanaged.passRetained(Start(shared, worker))
      let status = pthread_create(
        &thread, nil,
        { argument in
          let start = Unmanaged<Start>.fromOpaque(argument!).takeRetainedValue()
          start.shared.serve(as: start.worker)
          return nil
        }, start.toOpaque())
      if status == 0 { threads.append(thread) } else { start.release() }
    }
  }

  deinit {
    pthread_mutex_lock(shared.mutex)
    shared.ending = true
    pthread_cond_broadcast(shared.wake)
    pthread_mutex_unlock(shared.mutex)
    for thread in threads { pthread_join(thread, nil) }
  }

  /// Calls the body for each chunk, on the calling thread as worker 0 and on the helpers that come in time: one that
  /// the system is slow to wake holds nobody up.
  func run(_ chunks: Int, _ body: (_ chunk: Int, _ worker: Int) -> Void) {
    withoutActuallyEscaping(body) { escaping in
      withUnsafePointer(to: Body(call: escaping)) { run(chunks, $0) }
    }
  }

  private func run(_ chunks: Int, _ body: UnsafePointer<Body>) {
    pthread_mutex_lock(shared.mutex)
    shared.next.store(0, ordering: .relaxed)
    shared.chunks = chunks
    shared.body = body
    shared.isOpen = true
    shared.generation.wrappingAdd(1, ordering: .releasing)
    if shared.sleepers > 0 { pthread_cond_broadcast(shared.wake) }
    pthread_mutex_unlock(shared.mutex)
    shared.work(chunks, body, as: 0)
    pthread_mutex_lock(shared.mutex)
    shared.isOpen = false
    pthread_mutex_unlock(shared.mutex)
    shared.spin { shared.active.load(ordering: .acquiring) == 0 }
    pthread_mutex_lock(shared.mutex)
    while shared.active.load(ordering: .acquiring) > 0 { pthread_cond_wait(shared.done, shared.mutex) }
    shared.body = nil
    pthread_mutex_unlock(shared.mutex)
  }
}
