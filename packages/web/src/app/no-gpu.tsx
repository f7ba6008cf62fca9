/** For browsers without WebGPU: what helps here. */

const isFirefox = () => /Firefox\//.test(navigator.userAgent);
const isLinux = () => /Linux/.test(navigator.userAgent) && !/Android/.test(navigator.userAgent);
const isApple = () => /iPhone|iPad|Macintosh/.test(navigator.userAgent);

/** What to try, the likeliest first. */
function advice(): string[] {
  if (!isSecureContext)
    return ['Open this page over https, or from localhost: WebGPU is offered to secure pages alone.'];
  const tips: string[] = [];
  if (isFirefox())
    tips.push(
      'Firefox has WebGPU on Windows, and on macOS with Apple silicon. Elsewhere set dom.webgpu.enabled to true in about:config.',
    );
  if (isLinux() && !isFirefox())
    tips.push(
      'Chrome on Linux: start it with --enable-unsafe-webgpu --enable-features=Vulkan, or set both in chrome://flags. Without a GPU, --use-webgpu-adapter=swiftshader computes on the processor.',
    );
  if (isApple()) tips.push('Safari has WebGPU from version 26 on; Chrome and Edge on macOS from 113 on.');
  tips.push(
    'Chrome and Edge have WebGPU on Windows, macOS and ChromeOS from version 113 on, on Android from 121 on.',
  );
  tips.push(
    'Where the browser is right but there is still no adapter: update the graphics driver, and look at chrome://gpu.',
  );
  return tips;
}

export function NoGpu({ reason }: { reason: string }) {
  return (
    <section class="notice" aria-labelledby="no-gpu">
      <h2 id="no-gpu">This browser offers no GPU to compute on</h2>
      <p>{reason}</p>
      <ul>
        {advice().map((tip) => (
          <li key={tip}>{tip}</li>
        ))}
      </ul>
    </section>
  );
}
