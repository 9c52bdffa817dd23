import { useEffect } from 'react'
import { useLocation, useNavigate } from 'react-router'
import { signInRequired } from '../lib/api.ts'

/** Goes to the sign-in page once an answer asks for it, and takes along where to come back to. */
export function useSignInPage(): void {
  const navigate = useNavigate()
  const { pathname, search } = useLocation()
  useEffect(() => {
    const leave = () => {
      if (pathname === '/login') return
      void navigate({ pathname: '/login', search: new URLSearchParams({ returnTo: pathname + search }).toString() }, { replace: true })
    }
    globalThis.addEventListener(signInRequired, leave)
    return () => globalThis.removeEventListener(signInRequired, leave)
  }, [navigate, pathname, search])
}
