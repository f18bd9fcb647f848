"""Members of a project: everybody in it reads who may do what, its admins let people in and out."""

from __future__ import annotations

from typing import Any, ClassVar, NoReturn

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import mixins, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.models import User
from apps.accounts.person import person_of
from apps.common.api_versions import IF_MATCH, Versioned, etag, version_of, version_said
from apps.common.strict import OneOf, Strict
from apps.projects.api_scope import ScopedViewSet
from apps.projects.members import add_member, change_member, members_of, remove_member
from apps.projects.models import Membership, Project
from apps.projects.roles import Act, Role, Standing
from apps.projects.selectors import projects_for, require
from apps.projects.stages import Stage


class MemberSerializer(serializers.ModelSerializer[Membership]):
    """A member. ``departments``: the stages a supervisor signs off, [] for all of them.

    ``rights``: how far each act reaches: all, department, assigned (shots), shared (with the client); acts
    that are not there are refused. ``active``: false for a user who was deactivated and may do nothing.
    """

    user = serializers.CharField(source="user.username", read_only=True)
    name = serializers.CharField(source="user.get_full_name", read_only=True)
    active = serializers.BooleanField(source="user.is_active", read_only=True)
    departments = serializers.ListField(child=serializers.ChoiceField(choices=Stage.choices), read_only=True)
    rights = serializers.SerializerMethodField()

    class Meta:
        model = Membership
        fields = ("id", "user", "name", "active", "role", "departments", "rights", "row_version")
        read_only_fields = fields

    @extend_schema_field(serializers.DictField(child=serializers.ListField(child=serializers.CharField())))
    def get_rights(self, membership: Membership) -> dict[str, list[str]]:
        """By act, how far it reaches."""
        standing = Standing.of(membership)
        found = {str(act): sorted(map(str, standing.extents(act))) for act in Act}
        return {act: extents for act, extents in found.items() if extents}


class UserName(serializers.SlugRelatedField[User]):
    """A user of the farm by name."""

    default_error_messages: ClassVar[dict[str, Any]] = {
        "does_not_exist": gettext_lazy("no such user; whoever runs the farm makes users"),
        "invalid": gettext_lazy("write a user name"),
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(slug_field="username", queryset=User.objects.all(), **kwargs)

    def fail(self, key: str, **kwargs: Any) -> NoReturn:
        super().fail(key, **kwargs)


class NewMember(Strict):
    """Let somebody in, or give a member another role. Only supervisors have departments."""

    user = UserName()
    role = OneOf(choices=Role.choices)
    departments = serializers.ListField(child=OneOf(choices=Stage.choices), required=False, default=list)


class MemberChange(Versioned):
    """What is named, changes."""

    role = OneOf(choices=Role.choices, required=False)
    departments = serializers.ListField(child=OneOf(choices=Stage.choices), required=False)


class MemberViewSet(mixins.ListModelMixin, ScopedViewSet[Membership]):
    """Who belongs to one of your projects, by role and name."""

    queryset = Membership.objects.select_related("user", "project").order_by("role", "user__username")
    serializer_class = MemberSerializer
    filter_backends = ()
    lookup_url_kwarg = "member_id"

    def get_queryset(self) -> QuerySet[Membership]:
        if getattr(self, "swagger_fake_view", False):
            return Membership.objects.none()
        return members_of(self._project())

    def _project(self) -> Project:
        return get_object_or_404(projects_for(self.request.user), code=self.kwargs["code"])

    @extend_schema(request=NewMember, responses={201: MemberSerializer, 200: MemberSerializer})
    def create(self, request: Request, code: str) -> Response:
        """Let somebody in: 201. Somebody who belongs to the project gets this role: 200."""
        project, user = self._project(), person_of(request)
        require(user, Act.MANAGE, project)
        body = NewMember(data=request.data)
        body.is_valid(raise_exception=True)
        asked = body.validated_data
        before = Membership.objects.filter(project=project, user=asked["user"]).exists()
        membership = add_member(
            project=project,
            member=asked["user"],
            role=asked["role"],
            departments=asked["departments"],
            user=user,
        )
        made = status.HTTP_200_OK if before else status.HTTP_201_CREATED
        return Response(self.get_serializer(membership).data, status=made)

    @extend_schema(request=MemberChange, responses=MemberSerializer, parameters=[IF_MATCH])
    def partial_update(self, request: Request, code: str, member_id: str) -> Response:
        """Give a member another role or other departments. 409 for a stale ``row_version``."""
        membership = self.get_object()
        asked = self.asked(MemberChange, of=membership, act=Act.MANAGE)
        version = version_said(request, asked)
        changed = change_member(membership, user=person_of(request), row_version=version, **asked)
        return Response(self.get_serializer(changed).data, headers=etag(changed))

    @extend_schema(request=Versioned, responses={204: None}, parameters=[IF_MATCH])
    def destroy(self, request: Request, code: str, member_id: str) -> Response:
        """Take somebody out of the project, and their shots from them. Its last admin stays."""
        membership = self.get_object()
        self.require(Act.MANAGE, membership)
        remove_member(membership, user=person_of(request), row_version=version_of(request))
        return Response(status=status.HTTP_204_NO_CONTENT)
