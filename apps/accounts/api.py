"""Log in to the API with name and password, get a token; log out."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from knox.auth import TokenAuthentication
from rest_framework import serializers, status
from rest_framework.authentication import BasicAuthentication
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.person import person_of
from apps.accounts.throttle import LoginThrottle
from apps.accounts.tokens import IssuedToken, issue_token, revoke_all_tokens, revoke_token


class TokenSerializer(serializers.Serializer[IssuedToken]):
    """Send ``token`` with every request: ``Authorization: Token …``. It is shown this once."""

    token = serializers.CharField(read_only=True)
    expiry = serializers.DateTimeField(read_only=True)


class LoginView(APIView):
    """Name and password by HTTP Basic; answers a token."""

    authentication_classes = (BasicAuthentication,)
    permission_classes = (IsAuthenticated,)
    throttle_classes = (LoginThrottle,)

    def perform_authentication(self, request: Request) -> None:
        # REST framework throttles last, which would make wrong passwords free.
        super().check_throttles(request)
        super().perform_authentication(request)

    def check_throttles(self, request: Request) -> None:
        """Done before the password was looked at."""

    @extend_schema(operation_id="auth_login", request=None, responses=TokenSerializer)
    def post(self, request: Request) -> Response:
        issued = issue_token(person_of(request), request=request._request)
        return Response(TokenSerializer(issued).data)


class LogoutView(APIView):
    """Forget the token this request came with."""

    authentication_classes = (TokenAuthentication,)
    permission_classes = (IsAuthenticated,)

    @extend_schema(operation_id="auth_logout", request=None, responses={204: None})
    def post(self, request: Request) -> Response:
        revoke_token(request.auth, request=request._request)
        return Response(status=status.HTTP_204_NO_CONTENT)


class LogoutAllView(APIView):
    """Forget every token of this user."""

    authentication_classes = (TokenAuthentication,)
    permission_classes = (IsAuthenticated,)

    @extend_schema(operation_id="auth_logout_all", request=None, responses={204: None})
    def post(self, request: Request) -> Response:
        revoke_all_tokens(person_of(request), request=request._request)
        return Response(status=status.HTTP_204_NO_CONTENT)
