import Glibc
import Synchronization

/// Threads that sleep until there are chunks to do.
///
/// One caller at a time. The threads end when the pool goes away.
final class WorkerPool: @unchecked Sendable {
  private typealias Body = (_ chunk: Int, _ worker: Int) -> Void

  /// Everything the threads share; it outlives the pool object until the last thread has ended.
  private final class Shared: @unchecked Sendable {
    let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    let wake = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    let done = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    let next = Atomic<Int>(0)
    // Guarded by the mutex.
    var generation = 0, busy = 0, ending = false
    var chunks = 0
    var body: Body?

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
    func work(_ chunks: Int, _ body: Body, as worker: Int) {
      while true {
        let chunk = next.wrappingAdd(1, ordering: .relaxed).oldValue
        if chunk >= chunks { return }
        body(chunk, worker)
      }
    }

    /// A helper's life.
    func serve(as worker: Int) {
      var seen = 0
      pthread_mutex_lock(mutex)
      while true {
        while generation == seen && !ending { pthread_cond_wait(wake, mutex) }
        if ending { break }
        seen = generation
        if let body {
          let chunks = chunks
          pthread_mutex_unlock(mutex)
          work(chunks, body, as: worker)
          pthread_mutex_lock(mutex)
        }
        busy -= 1
        if busy == 0 { pthread_cond_signal(done) }
      }
      pthread_mutex_unlock(mutex)
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

  /// Calls the body for each chunk, on the helpers and on the calling thread as worker 0.
  func run(_ chunks: Int, _ body: (_ chunk: Int, _ worker: Int) -> Void) {
    withoutActuallyEscaping(body) { body in
      pthread_mutex_lock(shared.mutex)
      shared.next.store(0, ordering: .relaxed)
      shared.chunks = chunks
      shared.body = body
      shared.busy = threads.count
      shared.generation += 1
      pthread_cond_broadcast(shared.wake)
      pthread_mutex_unlock(shared.mutex)
      shared.work(chunks, body, as: 0)
      pthread_mutex_lock(shared.mutex)
      while shared.busy > 0 { pthread_cond_wait(shared.done, shared.mutex) }
      shared.body = nil
      pthread_mutex_unlock(shared.mutex)
    }
  }
}
